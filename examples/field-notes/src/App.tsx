import React from 'react';
import { StatusBar, useColorScheme } from 'react-native';
import { DarkTheme, DefaultTheme, NavigationContainer } from '@react-navigation/native';
import { createNativeStackNavigator } from '@react-navigation/native-stack';
import { SafeAreaProvider } from 'react-native-safe-area-context';
import type { Screens } from './navigation';
import { NotesProvider } from './notes/NotesProvider';
import { NoteEditorScreen } from './screens/NoteEditorScreen';
import { NoteListScreen } from './screens/NoteListScreen';
import { NoteScreen } from './screens/NoteScreen';
import { SettingsScreen } from './screens/SettingsScreen';

const Stack = createNativeStackNavigator<Screens>();

export function App() {
  const isDark = useColorScheme() === 'dark';
  return (
    <SafeAreaProvider>
      <StatusBar barStyle={isDark ? 'light-content' : 'dark-content'} />
      <NotesProvider>
        <NavigationContainer theme={isDark ? DarkTheme : DefaultTheme}>
          <Stack.Navigator>
            <Stack.Screen component={NoteListScreen} name="NoteList" options={{ title: 'Field Notes' }} />
            <Stack.Screen component={NoteScreen} name="Note" options={{ title: 'Note' }} />
            <Stack.Screen component={NoteEditorScreen} name="NoteEditor" options={{ title: 'Write', presentation: 'modal' }} />
            <Stack.Screen component={SettingsScreen} name="Settings" />
          </Stack.Navigator>
        </NavigationContainer>
      </NotesProvider>
    </SafeAreaProvider>
  );
}
