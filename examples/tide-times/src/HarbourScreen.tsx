import Ionicons from '@expo/vector-icons/Ionicons';
import type { NativeStackScreenProps } from '@react-navigation/native-stack';
import { Image } from 'expo-image';
import { StyleSheet, Text, View } from 'react-native';
import type { Routes } from './routes';
import { harbours } from './tides';

export function HarbourScreen({ route }: NativeStackScreenProps<Routes, 'Harbour'>) {
  const harbour = harbours.find(({ name }) => name === route.params.name);
  return (
    <View style={styles.screen}>
      <Image source={require('../assets/harbour.png')} style={styles.picture} contentFit="cover" />
      {harbour?.tides.map(({ kind, at, metres }) => (
        <View key={at} style={styles.tide}>
          <Ionicons name={kind === 'high' ? 'arrow-up' : 'arrow-down'} size={20} color="#1f5e7a" />
          <Text>{`${at}  ${metres.toFixed(1)} m`}</Text>
        </View>
      ))}
    </View>
  );
}

const styles = StyleSheet.create({
  screen: { flex: 1, padding: 16, gap: 12 },
  picture: { width: 128, height: 128, borderRadius: 16, alignSelf: 'center' },
  tide: { flexDirection: 'row', alignItems: 'center', gap: 8 },
});
