/**
 * What a model wrote, judged without asking it: is it JSON, of the shape, and was the whole prompt read? Pure.
 */
import * as z from 'zod';
import { cleanText } from './alert.ts';

/** Why there is no value; `http-503` and its like are refusals by status, `rejected` is the caller's own check. */
export type ModelFailureReason =
  | 'timeout'
  | 'unreachable'
  | 'no-model'
  | 'too-long'
  | 'truncated'
  | 'invalid-json'
  | 'wrong-schema'
  | 'rejected'
  | 'aborted'
  | `http-${number}`;

/** What went wrong on the way to a value. */
export class ModelFailure extends Error {
  readonly reason: ModelFailureReason;

  constructor(reason: ModelFailureReason, detail: string) {
    super(detail);
    this.name = 'ModelFailure';
    this.reason = reason;
  }
}

/** Characters of a token: ours have 3 to 5; no tokenizer makes fewer than one token of this many. */
const MOST_CHARS_PER_TOKEN = 8;
/** What our prompts have at least, so that an estimate by it is rather too high than too low. */
const LEAST_CHARS_PER_TOKEN = 2.6;
/** What Ollama's grammar understands of a JSON schema; the rest is checked afterwards. */
const GRAMMAR_KEYS: ReadonlySet<string> = new Set(
  'type properties required items enum const anyOf additionalProperties minItems maxItems'.split(' '),
);

/** Rather more tokens than a text has. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / LEAST_CHARS_PER_TOKEN);
}

/** Ollama cuts a prompt that does not fit without a word; the number of tokens it read tells. */
export function checkRead(
  read: number | undefined,
  messages: ReadonlyArray<{ content: string }>,
  numCtx: number,
): void {
  if (read === undefined) return;
  const chars = messages.reduce((sum, { content }) => sum + content.length, 0);
  if (read >= numCtx || read * MOST_CHARS_PER_TOKEN < chars)
    throw new ModelFailure('truncated', `the model read ${read} tokens of a prompt of ${chars} characters`);
}

/** What an answer has to be. */
export interface Expected<T> {
  readonly schema: z.ZodType<T>;
  /** Says what else is wrong with a value, for the repair; null when nothing is. */
  readonly check?: (value: T) => string | null;
}

/** A usable value, or what is wrong with the answer. */
export type Read<T> =
  { value: T } | { reason: 'invalid-json' | 'wrong-schema' | 'rejected'; problem: string };

/** Reads what a model wrote: JSON of the schema that also passes the check. */
export function readAnswer<T>(text: string, { schema, check }: Expected<T>): Read<T> {
  let json: unknown;
  try {
    json = JSON.parse(text, toStorable);
  } catch {
    return { reason: 'invalid-json', problem: 'it is not valid JSON' };
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return {
      reason: 'wrong-schema',
      problem: `${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'wrong'}`,
    };
  }
  const problem = check?.(parsed.data) ?? null;
  return problem === null ? { value: parsed.data } : { reason: 'rejected', problem };
}

/** The schema as a grammar for decoding: shapes and words only. */
export function toGrammar(schema: z.ZodType): object {
  const strip = (node: unknown, isNames: boolean): unknown => {
    if (Array.isArray(node)) return node.map((item) => strip(item, false));
    if (typeof node !== 'object' || node === null) return node;
    return Object.fromEntries(
      Object.entries(node)
        .filter(([key]) => isNames || GRAMMAR_KEYS.has(key))
        .map(([key, value]) => [key, strip(value, key === 'properties' && !isNames)]),
    );
  };
  return strip(z.toJSONSchema(schema, { io: 'input' }), false) as object;
}

/** What a model writes is stored as well, and Postgres takes neither NUL nor half a character. */
function toStorable(_name: string, value: unknown): unknown {
  return typeof value === 'string' ? cleanText(value, value.length) : value;
}
