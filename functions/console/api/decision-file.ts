/**
 * The file of decisions: the issues list in git. Importing a file twice changes nothing, and what the file does not name
 * stays as it is. Each entry carries its issue, so that a file can be read into an empty database.
 */
import * as z from 'zod';
import { InvalidInputError } from '../../../shared/errors.ts';
import { DECISION_KINDS, currentDecision } from '../../../shared/postgres/decisions.ts';
import { ensurePattern } from '../../../shared/postgres/decision-list.ts';
import type { InForceRow } from '../../../shared/postgres/decision-list.ts';
import { transaction } from '../../../shared/postgres/pool.ts';
import type { Pool } from '../../../shared/postgres/pool.ts';
import { SEVERITIES } from '../../../shared/severity.ts';
import { recordDecision } from '../decision.ts';
import { read, storableText } from './request.ts';

/** Most entries of one file; each is a short transaction's work. */
const MAX_ENTRIES = 5_000;
const MAX_CHARS = 8 * 1024 * 1024;

const words = z.record(storableText(0, 1_000), storableText(0, 10_000)).default({});

const entrySchema = z.object({
  pattern: z.string().regex(/^v\d+:[0-9a-f]{8,64}$/, 'must be a pattern such as v1:0123…'),
  kind: z.enum(DECISION_KINDS).exclude(['note']),
  until: z.coerce.date().nullable().default(null),
  note: storableText(1, 1_000).nullable().default(null),
  actor: storableText(1, 200).default('file'),
  alertname: storableText(1, 10_000),
  severity: z.enum(SEVERITIES),
  namespace: storableText(0, 10_000).nullable().default(null),
  cluster: storableText(0, 10_000).nullable().default(null),
  title: storableText(0, 1_000).default(''),
  identity: words.describe('what makes alerts this issue'),
  kept: words,
  dropped: words,
});
export type FileEntry = z.infer<typeof entrySchema>;

export const fileSchema = z.object({
  version: z.literal(1),
  decisions: z.array(entrySchema).max(MAX_ENTRIES),
});

export const importedSchema = z.object({
  recorded: z.int().describe('decisions made now'),
  unchanged: z.int().describe('in force already, or nothing to take back'),
  expired: z.int().describe('left out because their time is over'),
});

/** The file's text. Loaded on first use: the YAML library is not needed by anything else here. */
export async function writeFile(rows: readonly InForceRow[]): Promise<string> {
  const { stringify } = await import('yaml');
  const decisions = rows.map(({ until, generation: _generation, ...row }) => ({
    pattern: row.pattern,
    kind: row.kind,
    ...(until === null ? {} : { until: until.toISOString() }),
    ...(row.note === null ? {} : { note: row.note }),
    actor: row.actor,
    alertname: row.alertname,
    severity: row.severity,
    ...(row.namespace === null ? {} : { namespace: row.namespace }),
    ...(row.cluster === null ? {} : { cluster: row.cluster }),
    title: row.title,
    identity: row.identity,
    kept: row.kept,
    dropped: row.dropped,
  }));
  return stringify(
    { version: 1, decisions },
    // Texts stay on one line: what spans several with odd characters in it does not always read back as it was.
    { aliasDuplicateObjects: false, lineWidth: 0, blockQuote: false, doubleQuotedMinMultiLineLength: 1e9 },
  );
}

/** Reads a file; a refusal names the entry. */
export async function readFile(text: string): Promise<FileEntry[]> {
  if (text.length > MAX_CHARS) throw new InvalidInputError('the file is too long', 'too-large');
  const { isScalar, parseDocument, visit } = await import('yaml');
  let value: unknown;
  try {
    // The parser compares each key with all others of its map; a set does not need 10 s for 50,000 of them.
    const document = parseDocument(text, { uniqueKeys: false });
    const [problem] = document.errors;
    if (problem !== undefined) throw problem;
    visit(document, {
      Map(_key, { items }) {
        const keys = new Set(items.map(({ key }) => (isScalar(key) ? key.value : key)));
        if (keys.size < items.length) throw new Error('a map has the same key twice');
      },
    });
    value = document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    throw new InvalidInputError(
      `the file is no YAML: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''}`,
    );
  }
  return read(fileSchema, value).decisions;
}

/** Makes the decisions that are not in force yet; all of them or none. `by` overrules the actors of the file. */
export async function importFile(
  pool: Pool,
  entries: readonly FileEntry[],
  by: string | null,
): Promise<z.infer<typeof importedSchema>> {
  const now = new Date();
  const due = entries.filter(({ until }) => until === null || until > now);
  return transaction(pool, async (client) => {
    let recorded = 0;
    // In sorted order, so that two imports never wait for each other in a circle.
    for (const entry of due.toSorted((a, b) => (a.pattern < b.pattern ? -1 : 1))) {
      await ensurePattern(client, entry);
      const current = await currentDecision(client, entry.pattern, now);
      const { kind, until, note, actor } = entry;
      const isInForce =
        kind === 'revoke'
          ? current === null
          : current?.kind === kind && current.note === note && current.until?.getTime() === until?.getTime();
      if (isInForce) continue;
      await recordDecision(client, entry.pattern, { kind, until, note, actor: by ?? actor }, null);
      recorded++;
    }
    return { recorded, unchanged: due.length - recorded, expired: entries.length - due.length };
  });
}
