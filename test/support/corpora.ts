/** The shared corpora (not part of this repository): where they are, and why a test that needs them is skipped. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

const FOLDER = resolve(import.meta.dirname, '../../../shared/corpora');

/** Why tests on the corpora cannot run here, or null when they can. Printed once per test file. */
export function whyNoCorpora(what: string): string | null {
  if (existsSync(FOLDER)) return null;
  const reason = `${what}: skipped, the corpora are not at ${FOLDER}`;
  process.stderr.write(`${reason}\n`);
  return reason;
}

/** The path of a file of the corpora. */
export function corporaPath(...names: readonly string[]): string {
  return join(FOLDER, ...names);
}

/** A JSON file of the corpora. */
export function readCorpusJson<T>(...names: readonly string[]): T {
  return JSON.parse(readFileSync(corporaPath(...names), 'utf8')) as T;
}

/** A JSON-lines file of the corpora, one value per line; `.gz` is unpacked. */
export function readCorpusLines<T>(...names: readonly string[]): T[] {
  const bytes = readFileSync(corporaPath(...names));
  const text = (names.at(-1)?.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
