/** Writes `.env.example` out of the table in variables.ts: `node src/config/example.ts`. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Definition } from './definition.ts';
import { variables } from './variables.ts';

/** The text of `.env.example`: every variable, commented out, under its section, with its description and rule. */
export function exampleText(): string {
  const lines = [
    '# Every variable the backend reads. Written from src/config/variables.ts: do not edit it by hand.',
    '# Values come from the process environment, from NAME_FILE (a file that holds the value), or from a file `.env`.',
    '# Nothing has to be set on a development machine.',
  ];
  let section = '';
  for (const [name, definition] of Object.entries(variables) as [string, Definition][]) {
    if (definition.section !== section) {
      section = definition.section;
      lines.push('', `# --- ${section}`);
    }
    lines.push('', ...wrap(definition.description), ...rule(definition), `#${name}=${shown(definition)}`);
  }
  return `${lines.join('\n')}\n`;
}

function rule(definition: Definition): string[] {
  const parts: string[] = [];
  if (definition.kind === 'integer') parts.push(`From ${definition.minimum} to ${definition.maximum}.`);
  if (definition.kind === 'choice') parts.push(`One of ${definition.choices.join(', ')}.`);
  if (definition.kind === 'switch') parts.push(definition.default === 'outside production' ? 'on or off; on outside production.' : 'on or off.');
  if (definition.kind === 'list') parts.push('Several are separated by commas.');
  if (definition.kind === 'kept secret') parts.push('Made and kept in <DATA_DIR>/secrets.json on a development machine.');
  if (definition.requiredFor) {
    parts.push(`Required in production${definition.requiredFor.length === 1 ? ` for the ${definition.requiredFor.join()}` : ''}.`);
  }
  return parts.length === 0 ? [] : wrap(parts.join(' '));
}

function shown(definition: Definition): string {
  if (definition.kind === 'kept secret' || definition.kind === 'secret') return definition.example ?? '';
  if (definition.kind === 'switch') return definition.default === true ? 'on' : definition.default === false ? 'off' : '';
  if (definition.kind === 'list') return definition.default.length > 0 ? definition.default.join(',') : (definition.example ?? '');
  return definition.default === null ? (definition.example ?? '') : String(definition.default);
}

/** Comment lines of at most 110 characters. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '#';
  for (const word of text.split(' ')) {
    if (line.length + word.length + 1 > 110) {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

if (import.meta.main) writeFileSync(fileURLToPath(new URL('../../.env.example', import.meta.url)), exampleText());
