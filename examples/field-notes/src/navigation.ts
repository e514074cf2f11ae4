import type { NativeStackScreenProps } from '@react-navigation/native-stack';

export type Screens = {
  NoteList: undefined;
  Note: { noteId: string };
  NoteEditor: { noteId?: string } | undefined;
  Settings: undefined;
};

export type ScreenProps<Name extends keyof Screens> = NativeStackScreenProps<Screens, Name>;
