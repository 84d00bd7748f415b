/** Writes docs/events.md from the catalogue, so that the documentation of events cannot differ from the code. */
import { writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { z } from 'zod';
import { webhookAnswerSchema } from '../functions/receive/webhook.ts';
import { webhookSchema } from '../shared/alert.ts';
import { EVENTS, digestBuiltSchema, noticeDataSchema } from '../shared/events.ts';

const TARGET = new URL('../docs/events.md', import.meta.url);

const INTRODUCTION = `# Events

CloudEvents 1.0 in binary mode. This page is written by \`npm run docs\` from \`shared/events.ts\`; a test compares them.

An event is a doorbell: a function takes the notice's id from \`subject\` and reads everything else from Postgres. A
repeated, reordered or forged event can only hasten work that was due; a lost one is rung again by the sweep.

- \`id\`: the row and the step, e.g. \`ag-1f0c6a3d2b4e5f60.opened.classified\`; the same step of the same row is the same event.
- \`source\`: \`/alertgest/<cluster>/<function>\`.
- \`subject\`: the notice's id (for digests, the window).
- Extensions: \`severity\`, \`pattern\`, \`partitionkey\` (the pattern), \`traceparent\`.
- Data: at most 64 KiB; it shows what people and Trigger filters want to see.
`;

/** The page's text, formatted as prettier leaves it. */
export async function renderEvents(): Promise<string> {
  const rows = Object.entries(EVENTS).map(
    ([type, { meaning, emittedBy, consumedBy }]) =>
      `| \`${type}\` | ${meaning} | ${emittedBy.join(', ') || '—'} | ${consumedBy.join(', ') || '—'} |`,
  );
  const text = [
    INTRODUCTION,
    ['| type | meaning | emitted by | starts |', '| --- | --- | --- | --- |', ...rows].join('\n'),
    section('Data of notice and delivery events', noticeDataSchema),
    section('Data of `dev.alertgest.digest.built`', digestBuiltSchema),
    '# The webhook\n\n`POST /api/v1/alerts` at receive, with a bearer token or basic auth.',
    section('Body (everything but `alerts` may be missing)', webhookSchema),
    section('Answer with 200', webhookAnswerSchema),
  ].join('\n\n');
  return format(text, { parser: 'markdown', printWidth: 110, proseWrap: 'preserve' });
}

function section(title: string, schema: z.ZodType): string {
  return `## ${title}\n\n\`\`\`json\n${JSON.stringify(z.toJSONSchema(schema), null, 2)}\n\`\`\``;
}

if (import.meta.main) writeFileSync(TARGET, await renderEvents());
