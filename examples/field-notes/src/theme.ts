import type { ColorSchemeName } from 'react-native';

export interface Theme {
  background: string;
  card: string;
  text: string;
  quiet: string;
  accent: string;
  border: string;
}

const light: Theme = {
  background: '#f7f5ef',
  card: '#ffffff',
  text: '#22301f',
  quiet: '#6d7a68',
  accent: '#3d7a3a',
  border: '#e2e0d6',
};

const dark: Theme = {
  background: '#141a13',
  card: '#1e271c',
  text: '#e8eee4',
  quiet: '#93a08d',
  accent: '#8fca86',
  border: '#2c382a',
};

export const themeFor = (scheme: ColorSchemeName): Theme => (scheme === 'dark' ? dark : light);

export const spacing = { small: 8, medium: 16, large: 24 } as const;
