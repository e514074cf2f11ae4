import React from 'react';
import { Pressable, StyleSheet, Text, useColorScheme } from 'react-native';
import { spacing, themeFor } from '../theme';

interface Props {
  label: string;
  onPress: () => void;
  quiet?: boolean;
}

export function Button({ label, onPress, quiet = false }: Props) {
  const theme = themeFor(useColorScheme());
  return (
    <Pressable
      accessibilityRole="button"
      onPress={onPress}
      style={({ pressed }) => [
        styles.button,
        quiet ? { borderColor: theme.border, borderWidth: 1 } : { backgroundColor: theme.accent },
        pressed && styles.pressed,
      ]}
    >
      <Text style={[styles.label, { color: quiet ? theme.text : theme.background }]}>{label}</Text>
    </Pressable>
  );
}

const styles = StyleSheet.create({
  button: { borderRadius: 10, paddingHorizontal: spacing.medium, paddingVertical: 12, alignItems: 'center' },
  pressed: { opacity: 0.7 },
  label: { fontSize: 16, fontWeight: '600' },
});
