/**
 * A recorded night: one webhook a line, `{"seq","t","at","dup","body"}`, plain or gzipped. Lines are read one by one, so a
 * night of any length takes little memory. Moving a night moves every time in it by the same amount; zero times stay.
 */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import { parseTime } from '../shared/alert.ts';
import { InvalidInputError } from '../shared/errors.ts';
import { readLines } from './lines.ts';

/** Before this a time is a language's zero value. */
const ZERO_BEFORE_MS = Date.UTC(2000, 0, 1);

const lineSchema = z.object({
  at: z.string().transform((text, context) => {
    const time = parseTime(text);
    if (time === null) context.addIssue('not a time');
    return time ?? z.NEVER;
  }),
  body: z.looseObject({ alerts: z.array(z.unknown()) }),
});

/** One webhook of a night and when it arrived. */
export type Post = z.infer<typeof lineSchema>;

/** How much there is and from when to when. */
export interface Survey {
  readonly posts: number;
  readonly alerts: number;
  readonly first: Date;
  readonly last: Date;
}

/** Reads the posts of a file in order; throws an InvalidInputError that names the line. */
export async function* readNight(file: string): AsyncGenerator<Post> {
  let number = 0;
  try {
    for await (const lines of readLines(openText(file))) {
      for (const line of lines) {
        number++;
        if (line.trim() !== '') yield toPost(line, `${file}:${number}`);
      }
    }
  } catch (error) {
    if (error instanceof InvalidInputError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new InvalidInputError(`${file} cannot be read (${code})`);
  }
}

/** Counts a night before it is replayed. */
export async function surveyNight(file: string): Promise<Survey> {
  let posts = 0;
  let alerts = 0;
  let first: Date | undefined;
  let last: Date | undefined;
  for await (const { at, body } of readNight(file)) {
    posts++;
    alerts += body.alerts.length;
    first ??= at;
    last = at;
  }
  if (first === undefined || last === undefined) throw new InvalidInputError(`${file} has no posts`);
  return { posts, alerts, first, last };
}

/** The same post, `byMs` later. */
export function shiftPost(post: Post, byMs: number): Post {
  if (byMs === 0) return post;
  const alerts = post.body.alerts.map((alert) => shiftAlert(alert, byMs));
  return { at: new Date(post.at.getTime() + byMs), body: { ...post.body, alerts } };
}

function shiftAlert(alert: unknown, byMs: number): unknown {
  if (typeof alert !== 'object' || alert === null) return alert;
  const shifted: Record<string, unknown> = { ...alert };
  for (const field of ['startsAt', 'endsAt']) {
    const time = parseTime(shifted[field]);
    if (time !== null && time.getTime() >= ZERO_BEFORE_MS)
      shifted[field] = new Date(time.getTime() + byMs).toISOString();
  }
  return shifted;
}

function openText(file: string): AsyncIterable<string> {
  const source = createReadStream(file);
  if (!file.endsWith('.gz')) return source.setEncoding('utf8');
  // The iteration below throws what either stream throws.
  return pipeline(source, createGunzip(), () => undefined).setEncoding('utf8');
}

function toPost(line: string, where: string): Post {
  try {
    return lineSchema.parse(JSON.parse(line));
  } catch {
    throw new InvalidInputError(`${where} is no post of a night, {"at":"<time>","body":{"alerts":[…]}}`);
  }
}
