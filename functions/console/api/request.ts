/** What all resources of the API share: reading a request, pages of a list, and errors as RFC 9457 problems. */
import type { Context } from 'hono';
import * as z from 'zod';
import { InvalidInputError } from '../../../shared/errors.ts';

/** Query of every list. `cursor` is what the page before answered as `next`; `offset` is the older way. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  offset: z.coerce.number().int().min(0).default(0),
  cursor: z.string().max(1_000).optional().describe('`next` of the page before'),
};

/** A key in a cursor; Postgres is not asked for what it cannot hold. */
export const keyCursor = z
  .string()
  .max(300)
  .regex(/^[^\0]*$/);

/** A place in a list by time: microseconds and a key that breaks ties. */
export const timeCursor = z.tuple([z.string().regex(/^-?\d{1,17}$/), keyCursor]);

/** One operation of the API, as openapi.ts writes it down. */
export interface Operation {
  readonly method: 'get' | 'post' | 'put';
  /** With `{name}` for what varies. */
  readonly path: string;
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: { readonly schema: z.ZodType; readonly type?: string };
  /** Status → what is answered; problems are added by themselves. */
  readonly answers: Readonly<
    Record<number, { readonly meaning: string; readonly schema: z.ZodType; readonly type?: string }>
  >;
}

/** An error as every operation answers it; `error` repeats `detail` because the other functions answer with it. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  reason: z.string().describe('one word of a closed set'),
  error: z.string(),
  see: z.array(z.string()).optional(),
});

/** Parses what came in; a refusal names each field. */
export function read<T extends z.ZodType>(schema: T, value: unknown): z.infer<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `${issue.path.join('.') || 'request'}: ${issue.message}`,
  );
  throw new InvalidInputError(problems.join('; '));
}

/** Text that Postgres can store. */
export function storableText(least: number, most: number): z.ZodType<string, string> {
  return z
    .string()
    .trim()
    .min(least)
    .max(most)
    .refine((text) => !text.includes('\0') && text.isWellFormed(), 'must be text without NUL');
}

/** The cursor behind the last row of a page; null when the page is not full. */
export function nextCursor<T>(rows: readonly T[], limit: number, place: (row: T) => unknown): string | null {
  const last = rows.at(-1);
  return last === undefined || rows.length < limit
    ? null
    : Buffer.from(JSON.stringify(place(last))).toString('base64url');
}

/** What a cursor says; undefined without one. */
export function readCursor<T extends z.ZodType>(
  schema: T,
  cursor: string | undefined,
): z.infer<T> | undefined {
  if (cursor === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw new InvalidInputError('cursor: give back what the page before answered as "next"');
  }
}

/** Titles of problems by reason; others read as their reason. */
const TITLES: Readonly<Record<string, string>> = {
  'invalid-input': 'The request is not usable',
  'not-found': 'Nothing is here',
  unauthorized: 'Sign in first',
  forbidden: 'Not allowed',
  'dependency-down': 'A store does not answer; try again',
  bug: 'Internal error',
};

/** The body of a problem. */
export function toProblem(status: number, reason: string, detail: string, more: object = {}): object {
  const title = TITLES[reason] ?? reason;
  return { type: `urn:alertgest:problem:${reason}`, title, status, detail, reason, error: detail, ...more };
}

/** Answers with a problem. */
export function answerProblem(
  status: number,
  { reason, detail, ...more }: { reason: string; detail: string; see?: readonly string[] },
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify(toProblem(status, reason, detail, more)), {
    status,
    headers: { ...headers, 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
  });
}

/** Turns a short error of the other parts (`{ error, reason }`) into a problem. */
export async function toProblemResponse(c: Context): Promise<void> {
  const { res } = c;
  if (res.status < 400 || !(res.headers.get('content-type') ?? '').startsWith('application/json')) return;
  const short = z.object({ error: z.string(), reason: z.string() }).safeParse(
    await res
      .clone()
      .json()
      .catch(() => null),
  );
  if (!short.success) return;
  const { error: detail, reason } = short.data;
  c.res = undefined;
  c.res = answerProblem(res.status, { reason, detail }, Object.fromEntries(res.headers));
}
