/**
 * The language model behind Ollama, asked for JSON of a given shape and believed in nothing.
 *
 * Its invariant: an answer is either a value that passed the caller's schema and check, or a failure with a reason of a
 * closed set; never a throw, never later than the deadline. A prompt the model did not read whole (`prompt_eval_count`)
 * is a failure too, because Ollama cuts what does not fit and says nothing. The package is loaded with the first question.
 */
import { HttpFailure, request } from './http.ts';
import { ModelFailure, checkRead, estimateTokens, readAnswer, toGrammar } from './model-answer.ts';
import type { Expected, ModelFailureReason } from './model-answer.ts';

export type { ModelFailureReason };

/** One question to one model. */
export interface ModelQuestion<T> extends Expected<T> {
  /** As Ollama lists it; without a tag `:latest` is meant. */
  readonly model: string;
  /** Asked when the first one is missing, refuses or answers nonsense, while time remains. */
  readonly fallback?: string | undefined;
  readonly system: string;
  readonly prompt: string;
  /** Context window in tokens; Ollama's default depends on the machine, so it is always sent. */
  readonly numCtx: number;
  /** Most tokens of an answer. */
  readonly numPredict: number;
  readonly temperature: number;
  readonly seed: number;
  /** How long the model stays loaded, as Ollama writes it, e.g. `10m`. */
  readonly keepAlive: string;
  /** For everything: both models, and the repair. */
  readonly timeoutMs: number;
}

/** What every answer says about the call. */
interface ModelCall {
  readonly model: string;
  /** Digest of the model's files; empty when Ollama could not be asked. */
  readonly digest: string;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly durationMs: number;
  /** How often a model was asked to answer: 0 when it never came to that. */
  readonly calls: number;
  /** The last text the model wrote, valid or not. */
  readonly response: string;
}

export type ModelAnswer<T> =
  | (ModelCall & { readonly ok: true; readonly value: T; readonly repaired: boolean })
  | (ModelCall & { readonly ok: false; readonly reason: ModelFailureReason; readonly detail: string });

/** A model that is there, as Ollama lists it. */
export interface ModelEntry {
  readonly name: string;
  readonly digest: string;
  readonly bytes: number;
  readonly parameters: string;
}

export interface Model {
  ask<T>(question: ModelQuestion<T>, signal: AbortSignal): Promise<ModelAnswer<T>>;
  /** The models that are there; remembered for ten minutes. Throws a {@link ModelFailure}. */
  list(signal: AbortSignal, timeoutMs?: number): Promise<readonly ModelEntry[]>;
}

/** The list of models changes when somebody pulls one. */
const LIST_KEPT_MS = 600_000;
const LIST_TIMEOUT_MS = 3_000;
/** An answer in JSON is not longer; more is a flood. */
const MAX_ANSWER_BYTES = 512 * 1024;
/** Less time than this is not enough to ask again. */
const LEAST_MS = 500;
/** How much of a bad answer is shown to the model again. */
const SHOWN_ANSWER_CHARS = 2_000;

/** Failures after which another model may do better; after the others there is no time or no server. */
const NEXT_MODEL: ReadonlySet<string> = new Set([
  'no-model',
  'truncated',
  'invalid-json',
  'wrong-schema',
  'rejected',
]);
/** The model at an Ollama server. Nothing is loaded or connected before the first question. */
export function createModel({ baseUrl }: { readonly baseUrl: string }): Model {
  let listed: { readonly models: readonly ModelEntry[]; readonly at: number } | null = null;

  async function list(signal: AbortSignal, timeoutMs = LIST_TIMEOUT_MS): Promise<readonly ModelEntry[]> {
    if (listed !== null && performance.now() - listed.at < LIST_KEPT_MS) return listed.models;
    const client = await connect(baseUrl, { signal, endsAt: performance.now() + timeoutMs });
    const { models } = await guard(client.list(), signal);
    const entries = models.map(({ name, digest, size, details }) => ({
      name,
      digest,
      bytes: size,
      parameters: details?.parameter_size ?? '',
    }));
    listed = { models: entries, at: performance.now() };
    return entries;
  }

  async function askOne<T>(asked: string, question: ModelQuestion<T>, tally: Tally): Promise<T> {
    const name = asked.includes(':') ? asked : `${asked}:latest`;
    if (tally.model === '') tally.model = name;
    const entries = await list(tally.signal, Math.min(LIST_TIMEOUT_MS, left(tally)));
    const entry = entries.find((one) => one.name === name);
    if (entry === undefined) {
      listed = null;
      throw new ModelFailure('no-model', `${asked} is not there; pull it with: ollama pull ${asked}`);
    }
    tally.model = name;
    tally.digest = entry.digest;
    return converse(baseUrl, question, tally);
  }

  return {
    list,
    async ask<T>(question: ModelQuestion<T>, signal: AbortSignal): Promise<ModelAnswer<T>> {
      const startedAt = performance.now();
      const tally = createTally(signal, startedAt + question.timeoutMs);
      let failure: ModelFailure | undefined;
      for (const model of [question.model, question.fallback]) {
        if (model === undefined || left(tally) < LEAST_MS) break;
        try {
          const value = await askOne(model, question, tally);
          return { ok: true, value, repaired: tally.repaired, ...toCall(tally, startedAt) };
        } catch (error) {
          const latest = toFailure(error, signal);
          // That the fallback is not there says less than what the first model did.
          if (failure === undefined || latest.reason !== 'no-model') failure = latest;
          if (!NEXT_MODEL.has(latest.reason) && !latest.reason.startsWith('http-')) break;
        }
      }
      return {
        ok: false,
        reason: failure?.reason ?? 'timeout',
        detail: failure?.message.slice(0, 300) ?? 'there was no time to ask',
        ...toCall(tally, startedAt),
      };
    },
  };
}

/** What a question has cost so far, and how long it may go on. */
interface Tally {
  readonly signal: AbortSignal;
  readonly endsAt: number;
  model: string;
  digest: string;
  promptTokens: number;
  outputTokens: number;
  calls: number;
  response: string;
  repaired: boolean;
}

function createTally(signal: AbortSignal, endsAt: number): Tally {
  return {
    signal,
    endsAt,
    model: '',
    digest: '',
    promptTokens: 0,
    outputTokens: 0,
    calls: 0,
    response: '',
    repaired: false,
  };
}

function left({ endsAt }: Pick<Tally, 'endsAt'>): number {
  return endsAt - performance.now();
}

function toCall(tally: Tally, startedAt: number): ModelCall {
  const { model, digest, promptTokens, outputTokens, calls, response } = tally;
  const durationMs = Math.round(performance.now() - startedAt);
  return { model, digest, promptTokens, outputTokens, durationMs, calls, response };
}

/** Asks, and once more with what was wrong. */
async function converse<T>(baseUrl: string, question: ModelQuestion<T>, tally: Tally): Promise<T> {
  const { system, prompt, numCtx, numPredict } = question;
  if (estimateTokens(system + prompt) + numPredict > numCtx)
    throw new ModelFailure('too-long', `the prompt does not fit into ${numCtx} tokens beside the answer`);
  const messages = [
    { role: 'system', content: system },
    { role: 'user', content: prompt },
  ];
  const client = await connect(baseUrl, tally);
  for (let attempt = 1; ; attempt++) {
    tally.calls += 1;
    const answer = await guard(
      client.chat({
        model: tally.model,
        messages,
        stream: false,
        format: toGrammar(question.schema),
        keep_alive: question.keepAlive,
        options: {
          num_ctx: numCtx,
          num_predict: numPredict,
          temperature: question.temperature,
          seed: question.seed,
        },
      }),
      tally.signal,
    );
    tally.response = answer.message?.content ?? '';
    tally.promptTokens += answer.prompt_eval_count ?? 0;
    tally.outputTokens += answer.eval_count ?? 0;
    checkRead(answer.prompt_eval_count, messages, numCtx);
    const result = readAnswer(tally.response, question);
    if ('value' in result) return result.value;
    // A model that wrote up to its limit would do so again.
    if (attempt === 2 || answer.done_reason === 'length' || left(tally) < LEAST_MS)
      throw new ModelFailure(result.reason, result.problem);
    tally.repaired = true;
    messages.push(
      { role: 'assistant', content: tally.response.slice(0, SHOWN_ANSWER_CHARS) },
      { role: 'user', content: `Not usable: ${result.problem}. Answer again with only the JSON object.` },
    );
  }
}

async function connect(
  baseUrl: string,
  limits: Pick<Tally, 'signal' | 'endsAt'>,
): Promise<InstanceType<(typeof import('ollama'))['Ollama']>> {
  const { Ollama } = await import('ollama');
  return new Ollama({ host: baseUrl, fetch: toFetch(limits) });
}

/** Ollama's client over our own HTTP: bounded in time and size, no redirects, nothing printed. */
function toFetch(limits: Pick<Tally, 'signal' | 'endsAt'>): typeof fetch {
  return async (input, init) => {
    const answer = await request({
      method: init?.method ?? 'GET',
      url: input instanceof Request ? input.url : input,
      headers: { 'content-type': 'application/json' },
      ...(typeof init?.body === 'string' ? { body: init.body } : {}),
      timeoutMs: Math.max(1, left(limits)),
      maxBodyBytes: MAX_ANSWER_BYTES,
      signal: limits.signal,
    });
    if (answer.status === 404) throw new ModelFailure('no-model', 'Ollama does not know the model');
    if (answer.status < 200 || answer.status > 299)
      throw new ModelFailure(`http-${answer.status}`, `Ollama answered ${answer.status}`);
    return new Response(answer.body, { status: 200, headers: { 'content-type': 'application/json' } });
  };
}

/** A failure of ours, whatever the client made of it. */
async function guard<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw toFailure(error, signal);
  }
}

function toFailure(error: unknown, signal: AbortSignal): ModelFailure {
  if (error instanceof ModelFailure) return error;
  if (signal.aborted) return new ModelFailure('aborted', 'the call was aborted');
  if (error instanceof HttpFailure) {
    if (error.kind === 'too-large') return new ModelFailure('invalid-json', error.message);
    return new ModelFailure(error.kind === 'timeout' ? 'timeout' : 'unreachable', error.message);
  }
  // Ollama answered 200 with something that is no JSON.
  return new ModelFailure('invalid-json', error instanceof Error ? error.name : 'unreadable answer');
}
