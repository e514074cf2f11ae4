import React from 'react';
import { Alert, ScrollView, StyleSheet, Text, useColorScheme, View } from 'react-native';
import { Button } from '../components/Button';
import { KindIcon } from '../components/KindIcon';
import type { ScreenProps } from '../navigation';
import { useNote, useNotes } from '../notes/NotesProvider';
import { spacing, themeFor } from '../theme';

export function NoteScreen({ navigation, route }: ScreenProps<'Note'>) {
  const theme = themeFor(useColorScheme());
  const { remove } = useNotes();
  const note = useNote(route.params.noteId);

  if (note === undefined) {
    return <Text style={[styles.missing, { color: theme.quiet }]}>This note was removed.</Text>;
  }

  const confirmRemoval = () =>
    Alert.alert('Remove this note?', note.title, [
      { text: 'Keep it', style: 'cancel' },
      {
        text: 'Remove',
        style: 'destructive',
        onPress: () => {
          remove(note.id);
          navigation.goBack();
        },
      },
    ]);

  return (
    <ScrollView contentContainerStyle={styles.content} style={{ backgroundColor: theme.background }}>
      <View style={styles.heading}>
        <KindIcon kind={note.kind} size={48} />
        <Text style={[styles.title, { color: theme.text }]}>{note.title}</Text>
      </View>
      <Text style={{ color: theme.quiet }}>
        {note.place}, {new Date(note.seenAt).toLocaleString()}
      </Text>
      <Text style={[styles.body, { color: theme.text }]}>{note.body}</Text>
      <Button label="Edit" onPress={() => navigation.navigate('NoteEditor', { noteId: note.id })} />
      <Button label="Remove" onPress={confirmRemoval} quiet />
    </ScrollView>
  );
}

const styles = StyleSheet.create({
  content: { gap: spacing.medium, padding: spacing.medium },
  heading: { flexDirection: 'row', alignItems: 'center', gap: spacing.medium },
  title: { flex: 1, fontSize: 24, fontWeight: '700' },
  body: { fontSize: 17, lineHeight: 26 },
  missing: { padding: spacing.large },
});
