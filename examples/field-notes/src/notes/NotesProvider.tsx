import React, { createContext, useCallback, useContext, useMemo, useReducer, type ReactNode } from 'react';
import type { Note } from './note';
import { sampleNotes } from './sampleNotes';

type Change = { type: 'saved'; note: Note } | { type: 'removed'; id: string };

const change = (notes: readonly Note[], event: Change): readonly Note[] => {
  switch (event.type) {
    case 'saved':
      return [...notes.filter((note) => note.id !== event.note.id), event.note];
    case 'removed':
      return notes.filter((note) => note.id !== event.id);
  }
};

interface Notes {
  notes: readonly Note[];
  save: (note: Note) => void;
  remove: (id: string) => void;
}

const NotesContext = createContext<Notes | null>(null);

export function NotesProvider({ children }: { children: ReactNode }) {
  const [notes, dispatch] = useReducer(change, sampleNotes);
  const save = useCallback((note: Note) => dispatch({ type: 'saved', note }), []);
  const remove = useCallback((id: string) => dispatch({ type: 'removed', id }), []);
  const value = useMemo(() => ({ notes, save, remove }), [notes, save, remove]);
  return <NotesContext.Provider value={value}>{children}</NotesContext.Provider>;
}

export function useNotes(): Notes {
  const notes = useContext(NotesContext);
  if (notes === null) {
    throw new Error('useNotes is called outside NotesProvider');
  }
  return notes;
}

export function useNote(id: string | undefined): Note | undefined {
  const { notes } = useNotes();
  return notes.find((note) => note.id === id);
}
