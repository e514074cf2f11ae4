export interface Tide { readonly kind: 'high' | 'low'; readonly at: string; readonly metres: number }
export interface Harbour { readonly name: string; readonly tides: readonly Tide[] }

export const harbours: readonly Harbour[] = [
  { name: 'Whitby', tides: [{ kind: 'high', at: '04:12', metres: 5.1 }, { kind: 'low', at: '10:25', metres: 1.2 }, { kind: 'high', at: '16:38', metres: 5.3 }] },
  { name: 'Oban', tides: [{ kind: 'low', at: '00:47', metres: 0.9 }, { kind: 'high', at: '06:55', metres: 3.6 }, { kind: 'low', at: '13:08', metres: 1.1 }] },
  { name: 'Cancale', tides: [{ kind: 'high', at: '07:20', metres: 12.4 }, { kind: 'low', at: '14:02', metres: 1.8 }] },
];

export const nextHighWater = ({ tides }: Harbour): Tide | undefined => tides.find(({ kind }) => kind === 'high');
