import React from 'react';
import { Image, type ImageSourcePropType } from 'react-native';
import type { Kind } from '../notes/note';

const icons: Record<Kind, ImageSourcePropType> = {
  plant: require('../../assets/plant.png'),
  bird: require('../../assets/bird.png'),
  insect: require('../../assets/insect.png'),
  other: require('../../assets/other.png'),
};

export function KindIcon({ kind, size = 32 }: { kind: Kind; size?: number }) {
  return <Image accessibilityLabel={kind} source={icons[kind]} style={{ width: size, height: size }} />;
}
