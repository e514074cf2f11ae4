export type Kind = 'plant' | 'bird' | 'insect' | 'other';

export interface Note {
  id: string;
  title: string;
  body: string;
  place: string;
  kind: Kind;
  /** Milliseconds since 1970. */
  seenAt: number;
}

export const kinds: readonly Kind[] = ['plant', 'bird', 'insect', 'other'];

/** Newest first; notes that hold every word of the query, in any field. */
export const findNotes = (notes: readonly Note[], query: string): Note[] => {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return notes
    .filter((note) => {
      const text = `${note.title} ${note.body} ${note.place} ${note.kind}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .sort((a, b) => b.seenAt - a.seenAt);
};
