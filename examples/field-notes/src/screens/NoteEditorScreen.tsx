import React, { useState } from 'react';
import { KeyboardAvoidingView, Platform, Pressable, StyleSheet, TextInput, useColorScheme, View } from 'react-native';
import { Button } from '../components/Button';
import { KindIcon } from '../components/KindIcon';
import type { ScreenProps } from '../navigation';
import { kinds, type Kind } from '../notes/note';
import { useNote, useNotes } from '../notes/NotesProvider';
import { spacing, themeFor } from '../theme';

export function NoteEditorScreen({ navigation, route }: ScreenProps<'NoteEditor'>) {
  const theme = themeFor(useColorScheme());
  const { save } = useNotes();
  const existing = useNote(route.params?.noteId);
  const [title, setTitle] = useState(existing?.title ?? '');
  const [place, setPlace] = useState(existing?.place ?? '');
  const [body, setBody] = useState(existing?.body ?? '');
  const [kind, setKind] = useState<Kind>(existing?.kind ?? 'plant');

  const finish = () => {
    const seenAt = existing?.seenAt ?? Date.now();
    save({ id: existing?.id ?? `note-${seenAt}`, title: title.trim() || 'Untitled', place: place.trim(), body, kind, seenAt });
    navigation.goBack();
  };

  const field = [styles.field, { backgroundColor: theme.card, borderColor: theme.border, color: theme.text }];
  return (
    <KeyboardAvoidingView behavior={Platform.OS === 'ios' ? 'padding' : undefined} style={[styles.screen, { backgroundColor: theme.background }]}>
      <View style={styles.kinds}>
        {kinds.map((option) => (
          <Pressable
            key={option}
            accessibilityRole="radio"
            accessibilityState={{ selected: option === kind }}
            onPress={() => setKind(option)}
            style={[styles.kind, { borderColor: option === kind ? theme.accent : 'transparent' }]}
          >
            <KindIcon kind={option} />
          </Pressable>
        ))}
      </View>
      <TextInput onChangeText={setTitle} placeholder="What was it?" placeholderTextColor={theme.quiet} style={field} value={title} />
      <TextInput onChangeText={setPlace} placeholder="Where?" placeholderTextColor={theme.quiet} style={field} value={place} />
      <TextInput
        multiline
        onChangeText={setBody}
        placeholder="What did you notice?"
        placeholderTextColor={theme.quiet}
        style={[field, styles.body]}
        value={body}
      />
      <Button label="Save" onPress={finish} />
    </KeyboardAvoidingView>
  );
}

const styles = StyleSheet.create({
  screen: { flex: 1, gap: spacing.medium, padding: spacing.medium },
  kinds: { flexDirection: 'row', gap: spacing.small },
  kind: { borderRadius: 12, borderWidth: 2, padding: spacing.small },
  field: { borderWidth: 1, borderRadius: 10, fontSize: 16, padding: 12 },
  body: { flex: 1, textAlignVertical: 'top' },
});
