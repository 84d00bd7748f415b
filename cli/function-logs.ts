/** What the functions write: every line goes to a file of its function, warnings and errors also to the terminal, in short. */
import { createWriteStream, mkdirSync } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { cleanLine } from './terminal.ts';

/** The same sentence of the same function is shown at most this often, in milliseconds. */
const REPEAT_MS = 10_000;
/** Fields worth a place on the terminal, in this order. */
const SHOWN_FIELDS = ['reason', 'why', 'error', 'type', 'status', 'path'] as const;
const SHOWN_CHARS = 100;

const entrySchema = z.looseObject({ level: z.string(), message: z.string() });

export interface FunctionLogs {
  readonly onLine: (name: string, line: string) => void;
  close(): void;
}

/** Opens a log file per function in a folder; `say` gets the short form of what a person should see. */
export function openFunctionLogs(folder: string, say: (line: string) => void): FunctionLogs {
  mkdirSync(folder, { recursive: true });
  const files = new Map<string, WriteStream>();
  const shownAt = new Map<string, number>();
  return {
    onLine(name, line) {
      let file = files.get(name);
      if (file === undefined) {
        file = createWriteStream(join(folder, `${name}.log`), { flags: 'a' });
        // A full disk must not end the machine; the terminal still shows what matters.
        file.on('error', () => undefined);
        files.set(name, file);
      }
      file.write(`${line}\n`);
      const short = toShort(name, line);
      if (short === null) return;
      const key = short.split(' (', 1)[0] ?? short;
      if (performance.now() - (shownAt.get(key) ?? -Infinity) < REPEAT_MS) return;
      shownAt.set(key, performance.now());
      say(short);
    },
    close() {
      for (const file of files.values()) file.end();
    },
  };
}

/** A log line in a few words; null when it is below a warning. A line that is no JSON is shown as it is. Pure. */
export function toShort(name: string, line: string): string | null {
  const entry = parseEntry(line);
  if (entry === null) return line.trim() === '' ? null : `${name}: ${cleanLine(line, 160)}`;
  if (!['warn', 'error', 'fatal'].includes(entry.level)) return null;
  const field = SHOWN_FIELDS.find(
    (each) => typeof entry[each] === 'string' || typeof entry[each] === 'number',
  );
  const detail = field === undefined ? '' : ` (${cleanLine(String(entry[field]), SHOWN_CHARS)})`;
  return `${name}: ${cleanLine(entry.message, 160)}${detail}`;
}

function parseEntry(line: string): z.infer<typeof entrySchema> | null {
  try {
    return entrySchema.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}
