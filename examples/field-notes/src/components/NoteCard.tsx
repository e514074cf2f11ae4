import React from 'react';
import { Pressable, StyleSheet, Text, useColorScheme, View } from 'react-native';
import type { Note } from '../notes/note';
import { spacing, themeFor } from '../theme';
import { KindIcon } from './KindIcon';

export function NoteCard({ note, onPress }: { note: Note; onPress: () => void }) {
  const theme = themeFor(useColorScheme());
  return (
    <Pressable onPress={onPress}>
      <View style={[styles.card, { backgroundColor: theme.card, borderColor: theme.border }]}>
        <KindIcon kind={note.kind} />
        <View style={styles.texts}>
          <Text style={[styles.title, { color: theme.text }]}>{note.title}</Text>
          <Text numberOfLines={1} style={{ color: theme.quiet }}>
            {note.place} · {new Date(note.seenAt).toDateString()}
          </Text>
        </View>
      </View>
    </Pressable>
  );
}

const styles = StyleSheet.create({
  card: {
    flexDirection: 'row',
    alignItems: 'center',
    gap: spacing.medium,
    borderRadius: 12,
    borderWidth: StyleSheet.hairlineWidth,
    padding: spacing.medium,
  },
  texts: { flex: 1, gap: 2 },
  title: { fontSize: 17, fontWeight: '600' },
});
