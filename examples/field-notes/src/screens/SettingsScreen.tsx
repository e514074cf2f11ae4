import React, { useState } from 'react';
import { StyleSheet, Switch, Text, useColorScheme, View } from 'react-native';
import type { ScreenProps } from '../navigation';
import { useNotes } from '../notes/NotesProvider';
import { spacing, themeFor } from '../theme';

// Both are written into the bundle when it is built.
const station = process.env.EXPO_PUBLIC_STATION ?? 'no station';
const environment = process.env.HIVESYNC_ENVIRONMENT ?? 'development';

export function SettingsScreen(_props: ScreenProps<'Settings'>) {
  const theme = themeFor(useColorScheme());
  const { notes } = useNotes();
  const [reminders, setReminders] = useState(true);

  return (
    <View style={[styles.screen, { backgroundColor: theme.background }]}>
      <View style={[styles.row, { borderColor: theme.border }]}>
        <Text style={[styles.label, { color: theme.text }]}>Remind me at dusk</Text>
        <Switch onValueChange={setReminders} value={reminders} />
      </View>
      <Text style={{ color: theme.quiet }}>
        {notes.length} notes, {station}, {environment}
      </Text>
    </View>
  );
}

const styles = StyleSheet.create({
  screen: { flex: 1, gap: spacing.medium, padding: spacing.medium },
  row: { flexDirection: 'row', alignItems: 'center', borderBottomWidth: 1, paddingVertical: spacing.medium },
  label: { flex: 1, fontSize: 17 },
});
