/** Posts a night to a receiver: in order, one at a time, each stamped with the time it first arrived. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { AppError, DependencyError } from '../shared/errors.ts';
import { HttpFailure, request } from '../shared/http.ts';
import type { HttpResponse } from '../shared/http.ts';
import type { Post } from './night.ts';

/** Waits between the tries of one post, in milliseconds; 5xx and broken connections are tried again, as Alertmanager does. */
const BACKOFF_MS = [200, 400, 800, 1_600, 3_200, 5_000, 5_000] as const;
const TIMEOUT_MS = 30_000;

/** What became of a night. */
export interface Summary {
  readonly posts: number;
  /** Alerts in the posts that were answered 2xx. */
  readonly alerts: number;
  /** Status → how many posts ended with it, those outside 2xx only. */
  readonly refused: ReadonlyMap<number, number>;
  readonly retries: number;
  readonly durationMs: number;
}

export interface ReplayOptions {
  /** Base address of the receiver. */
  readonly url: string;
  readonly token: string | null;
  /** Times real time; null is as fast as answered. */
  readonly speed: number | null;
  readonly signal?: AbortSignal;
  /** Called after each post; the next one waits for it. `news` is how many notices the receiver made of it. */
  readonly onPosted: (post: Post, news: number) => Promise<void> | void;
  /** Told of every wait before another try. */
  readonly onRetry?: (problem: string) => void;
  readonly backoffMs?: readonly number[];
}

const answerSchema = z.object({ notices: z.array(z.unknown()) });

/** Replays posts; throws when the receiver cannot be reached or refuses our credentials. */
export async function replayNight(
  posts: AsyncIterable<Post>,
  { signal = new AbortController().signal, ...options }: ReplayOptions,
): Promise<Summary> {
  const startedAt = performance.now();
  const sum = { posts: 0, alerts: 0, retries: 0 };
  const refused = new Map<number, number>();
  let firstAt: number | undefined;
  for await (const post of posts) {
    firstAt ??= post.at.getTime();
    if (options.speed !== null) {
      const dueMs = (post.at.getTime() - firstAt) / options.speed;
      await sleep(Math.max(0, dueMs - (performance.now() - startedAt)), undefined, { signal });
    }
    signal.throwIfAborted();
    const answer = await send(post, { ...options, signal }, () => sum.retries++);
    sum.posts++;
    const stored = answer.status >= 200 && answer.status < 300;
    if (stored) sum.alerts += post.body.alerts.length;
    else refused.set(answer.status, (refused.get(answer.status) ?? 0) + 1);
    await options.onPosted(post, stored ? countNews(answer) : 0);
  }
  return { ...sum, refused, durationMs: performance.now() - startedAt };
}

async function send(
  post: Post,
  options: ReplayOptions & { readonly signal: AbortSignal },
  onRetry: () => void,
): Promise<HttpResponse> {
  const { token, url, signal, backoffMs = BACKOFF_MS } = options;
  for (let attempt = 0; ; attempt++) {
    const answer = await tryOnce(post, url, token, signal);
    const retried = answer instanceof HttpFailure || answer.status >= 500;
    const waitMs = backoffMs[attempt];
    if (retried && waitMs !== undefined && !signal.aborted) {
      const problem = answer instanceof HttpFailure ? answer.message : `${url} answered ${answer.status}`;
      options.onRetry?.(`${problem}; trying again in ${waitMs / 1_000} s`);
      onRetry();
      await sleep(waitMs, undefined, { signal });
      continue;
    }
    if (answer instanceof HttpFailure)
      throw new DependencyError(`${answer.message}; is alertgest running there (make run)?`);
    if (answer.status === 401)
      throw new AppError('unauthorized', `${url} wants a token: --token or RECEIVE_TOKEN`);
    return answer;
  }
}

async function tryOnce(
  post: Post,
  url: string,
  token: string | null,
  signal: AbortSignal,
): Promise<HttpResponse | HttpFailure> {
  try {
    return await request({
      method: 'POST',
      url: `${url}/api/v1/alerts`,
      headers: {
        'content-type': 'application/json',
        'x-alertgest-received-at': post.at.toISOString(),
        ...(token !== null && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(post.body),
      timeoutMs: TIMEOUT_MS,
      signal,
    });
  } catch (error) {
    if (error instanceof HttpFailure) return error;
    throw error;
  }
}

function countNews({ body }: HttpResponse): number {
  try {
    return answerSchema.parse(JSON.parse(body)).notices.length;
  } catch {
    return 0;
  }
}
