import type { NativeStackScreenProps } from '@react-navigation/native-stack';
import Constants from 'expo-constants';
import { FlatList, Image, Pressable, StyleSheet, Text, View } from 'react-native';
import type { Routes } from './routes';
import { harbours, nextHighWater } from './tides';

export function HarboursScreen({ navigation }: NativeStackScreenProps<Routes, 'Harbours'>) {
  return (
    <FlatList
      data={harbours}
      keyExtractor={({ name }) => name}
      contentContainerStyle={styles.list}
      ListHeaderComponent={
        <View style={styles.header}>
          <Image source={require('../assets/tide.png')} style={styles.logo} />
          <Text style={styles.title}>When is high water?</Text>
        </View>
      }
      renderItem={({ item }) => (
        <Pressable style={styles.row} onPress={() => navigation.navigate('Harbour', { name: item.name })}>
          <Text style={styles.name}>{item.name}</Text>
          <Text>{nextHighWater(item)?.at ?? 'not today'}</Text>
        </Pressable>
      )}
      ListFooterComponent={<Text style={styles.footer}>{`Opened in ${Constants.expoConfig?.name ?? 'a build of its own'}`}</Text>}
    />
  );
}

const styles = StyleSheet.create({
  list: { padding: 16, gap: 8 },
  header: { flexDirection: 'row', alignItems: 'center', gap: 12, marginBottom: 8 },
  logo: { width: 40, height: 40 },
  title: { fontSize: 20, fontWeight: '600' },
  row: { flexDirection: 'row', justifyContent: 'space-between', padding: 16, borderRadius: 12, backgroundColor: '#fff' },
  name: { fontSize: 16 },
  footer: { marginTop: 16, color: '#5b6770', textAlign: 'center' },
});
