import { NavigationContainer } from '@react-navigation/native';
import { createNativeStackNavigator } from '@react-navigation/native-stack';
import { StatusBar } from 'expo-status-bar';
import { HarbourScreen } from './HarbourScreen';
import { HarboursScreen } from './HarboursScreen';
import type { Routes } from './routes';

const Stack = createNativeStackNavigator<Routes>();

export function App() {
  return (
    <NavigationContainer>
      <StatusBar style="auto" />
      <Stack.Navigator>
        <Stack.Screen name="Harbours" component={HarboursScreen} options={{ title: 'Tide times' }} />
        <Stack.Screen name="Harbour" component={HarbourScreen} options={({ route }) => ({ title: route.params.name })} />
      </Stack.Navigator>
    </NavigationContainer>
  );
}
