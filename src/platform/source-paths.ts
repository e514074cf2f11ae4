/**
 * The rules a project's source paths must keep before any of them is stored, materialised or built.
 * Pure: the API asks at intake, the preview worker asks again before it writes a file.
 */

export type SourcePathRule =
  | 'empty'
  | 'too_long'
  | 'too_deep'
  | 'absolute'
  | 'backslash'
  | 'control_character'
  | 'unicode'
  | 'segment'
  | 'node_modules'
  | 'configuration'
  | 'duplicate'
  | 'file_and_directory'
  | 'entry_file';

export type SourcePathFault = {
  /** Position in the list that was checked; -1 for the entry file. */
  index: number;
  path: string;
  rule: SourcePathRule;
  message: string;
};

export type SourcePathsChecked =
  | { ok: true; normalised: string[]; entryFile: string }
  | { ok: false; faults: SourcePathFault[] };

/** Longest path in UTF-8 bytes: well under PATH_MAX (4096) with room for any root in front of it. */
export const maxPathBytes = 512;
/** Longest segment in UTF-8 bytes: what every common file system can hold. */
export const maxSegmentBytes = 255;
export const maxDepth = 32;
/** A request with thousands of bad paths is answered with the first ones only. */
export const maxFaults = 100;

// C0, DEL, C1, and the marks that turn or hide text: bidirectional controls, zero-width characters, line separators.
const controlCharacters = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u;

// What Babel, Metro, Watchman, Browserslist and npm would read as configuration. None of it is ever read by a build;
// it is refused so that nobody wonders why it had no effect.
const configurationName =
  /^(?:\.babelrc(?:\..+)?|babel\.config\..+|metro\.config(?:\..+)?|\.metrorc(?:\..+)?|\.watchmanconfig|\.browserslistrc|\.swcrc|\.npmrc|\.yarnrc(?:\..+)?|\.pnpmfile\.c?js|react-native\.config\..+)$/iu;

const entryExtension = /\.(?:js|jsx|ts|tsx|mjs|cjs)$/u;

/** Two paths that one file system or another would take for the same file have the same key. */
const collisionKey = (path: string): string => path.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');

const faultOf = (path: string): { rule: SourcePathRule; message: string } | null => {
  if (path.length === 0) return { rule: 'empty', message: 'The path is empty.' };
  if (!path.isWellFormed()) return { rule: 'unicode', message: 'The path is not well-formed Unicode.' };
  if (controlCharacters.test(path)) return { rule: 'control_character', message: 'The path holds a control or invisible character.' };
  if (path.includes('\\')) return { rule: 'backslash', message: 'The path holds a backslash; separate folders by "/".' };
  if (path.startsWith('/') || /^[a-z]:/iu.test(path) || path.startsWith('~')) {
    return { rule: 'absolute', message: 'The path is absolute; name it relative to the project.' };
  }
  if (Buffer.byteLength(path.normalize('NFC')) > maxPathBytes) {
    return { rule: 'too_long', message: `The path is longer than ${maxPathBytes} bytes.` };
  }
  const segments = path.split('/');
  if (segments.length > maxDepth) return { rule: 'too_deep', message: `The path is deeper than ${maxDepth} folders.` };
  for (const segment of segments) {
    if (segment === '' || segment === '.' || segment === '..') {
      return { rule: 'segment', message: 'The path holds an empty, "." or ".." segment.' };
    }
    if (Buffer.byteLength(segment.normalize('NFC')) > maxSegmentBytes) {
      return { rule: 'too_long', message: `A segment of the path is longer than ${maxSegmentBytes} bytes.` };
    }
    // Folded, and without the trailing dots and spaces some file systems drop: NODE_MODULES and "node_modules." too.
    const folded = collisionKey(segment).replace(/[. ]+$/u, '');
    if (folded === 'node_modules') {
      return { rule: 'node_modules', message: 'Packages come from the SDK set; leave node_modules out.' };
    }
    if (configurationName.test(folded)) {
      return { rule: 'configuration', message: 'Builds use their own configuration of Babel and Metro; leave this file out.' };
    }
  }
  return null;
};

/**
 * Checks one path alone.
 *
 * @returns null when it keeps every rule, else the first rule it breaks.
 */
export const checkSourcePath = (path: string): { rule: SourcePathRule; message: string } | null => faultOf(path);

/**
 * Checks a project's paths as a whole.
 *
 * @param files the files, in any order; only `path` is looked at.
 * @param entryFile the module that starts the app; must be one of the files.
 * @returns the paths in NFC in the same order, or every fault (the first 100) with its position.
 */
export const checkSourcePaths = (files: readonly { path: string }[], entryFile: string): SourcePathsChecked => {
  const faults: SourcePathFault[] = [];
  const normalised: string[] = [];
  const owners = new Map<string, number>();
  const folders = new Set<string>();

  for (const [index, { path }] of files.entries()) {
    const fault = faultOf(path);
    if (fault !== null) {
      faults.push({ index, path, ...fault });
      if (faults.length >= maxFaults) return { ok: false, faults };
      continue;
    }
    const key = collisionKey(path);
    const owner = owners.get(key);
    if (owner !== undefined) {
      const message = `The path is the same as file ${owner} but for letter case or Unicode form.`;
      faults.push({ index, path, rule: 'duplicate', message });
      if (faults.length >= maxFaults) return { ok: false, faults };
      continue;
    }
    owners.set(key, index);
    for (let slash = key.indexOf('/'); slash !== -1; slash = key.indexOf('/', slash + 1)) folders.add(key.slice(0, slash));
    normalised.push(path.normalize('NFC'));
  }

  for (const [key, index] of owners) {
    if (!folders.has(key)) continue;
    const path = files[index]?.path ?? key;
    faults.push({ index, path, rule: 'file_and_directory', message: 'The path is a file here and a folder in another path.' });
    if (faults.length >= maxFaults) return { ok: false, faults };
  }

  const entry = entryFile.normalize('NFC');
  if (!entryExtension.test(entry)) {
    faults.push({ index: -1, path: entryFile, rule: 'entry_file', message: 'The entry file is not a JavaScript or TypeScript module.' });
  } else if (!normalised.includes(entry)) {
    faults.push({ index: -1, path: entryFile, rule: 'entry_file', message: 'The entry file is not one of the files.' });
  }

  return faults.length === 0 ? { ok: true, normalised, entryFile: entry } : { ok: false, faults };
};
