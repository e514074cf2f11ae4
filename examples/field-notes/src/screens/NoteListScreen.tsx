import React, { useMemo, useState } from 'react';
import { FlatList, Image, StyleSheet, Text, TextInput, useColorScheme, View } from 'react-native';
import { useSafeAreaInsets } from 'react-native-safe-area-context';
import { Button } from '../components/Button';
import { NoteCard } from '../components/NoteCard';
import type { ScreenProps } from '../navigation';
import { findNotes } from '../notes/note';
import { useNotes } from '../notes/NotesProvider';
import { spacing, themeFor } from '../theme';

export function NoteListScreen({ navigation }: ScreenProps<'NoteList'>) {
  const theme = themeFor(useColorScheme());
  const insets = useSafeAreaInsets();
  const { notes } = useNotes();
  const [query, setQuery] = useState('');
  const found = useMemo(() => findNotes(notes, query), [notes, query]);

  return (
    <View style={[styles.screen, { backgroundColor: theme.background, paddingBottom: insets.bottom }]}>
      <View style={styles.header}>
        <Image source={require('../../assets/logo.png')} style={styles.logo} />
        <Text style={[styles.heading, { color: theme.text }]}>What did you see today?</Text>
      </View>
      <TextInput
        accessibilityLabel="Search notes"
        onChangeText={setQuery}
        placeholder="Search by word or place"
        placeholderTextColor={theme.quiet}
        style={[styles.search, { borderColor: theme.border, color: theme.text }]}
        value={query}
      />
      <FlatList
        contentContainerStyle={styles.list}
        data={found}
        keyExtractor={(note) => note.id}
        ListEmptyComponent={<Text style={{ color: theme.quiet }}>Nothing found. Try another word.</Text>}
        renderItem={({ item }) => <NoteCard note={item} onPress={() => navigation.navigate('Note', { noteId: item.id })} />}
      />
      <View style={styles.actions}>
        <Button label="New note" onPress={() => navigation.navigate('NoteEditor')} />
        <Button label="Settings" onPress={() => navigation.navigate('Settings')} quiet />
      </View>
    </View>
  );
}

const styles = StyleSheet.create({
  screen: { flex: 1 },
  header: { flexDirection: 'row', alignItems: 'center', gap: spacing.medium, padding: spacing.medium },
  logo: { width: 48, height: 48 },
  heading: { flex: 1, fontSize: 22, fontWeight: '700' },
  search: { marginHorizontal: spacing.medium, borderWidth: 1, borderRadius: 10, paddingHorizontal: 12, height: 44 },
  list: { padding: spacing.medium, gap: 12 },
  actions: { gap: spacing.small, padding: spacing.medium },
});
