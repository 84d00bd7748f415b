/** The one file that asks Loki: the last lines of a workload before a moment, bounded in lines, bytes and time. */
import * as z from 'zod';
import { HttpFailure, request } from './http.ts';

export interface LokiOptions {
  /** Without a slash at the end, e.g. http://loki.monitoring:3100. */
  readonly url: string;
  readonly token: string | null;
  readonly user: string | null;
  readonly password: string | null;
  /** X-Scope-OrgID of a Loki with tenants. */
  readonly tenant: string | null;
  readonly maxLines: number;
  readonly timeoutMs: number;
}

/** Whose lines, of which time. */
export interface LogQuestion {
  readonly namespace: string;
  /** A workload's name; its pods begin with it. */
  readonly workload: string;
  readonly from: Date;
  readonly to: Date;
}

/** Lines, newest first, or why there are none. */
export type Logs =
  { readonly ok: true; readonly lines: readonly string[] } | { readonly ok: false; readonly why: string };

export interface Loki {
  read(question: LogQuestion, signal: AbortSignal): Promise<Logs>;
}

/** More is not read; the answer counts as too large. */
const MAX_BYTES = 2 * 1024 * 1024;
/** What may stand in a selector; everything else could change its meaning. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,200}$/;

const answerSchema = z.object({
  data: z.object({
    result: z.array(z.object({ values: z.array(z.tuple([z.string(), z.string()], z.unknown())) })),
  }),
});

/** A Loki that is asked with `query_range`; it never throws. */
export function createLoki(options: LokiOptions): Loki {
  return {
    async read({ namespace, workload, from, to }, signal) {
      if (!NAME.test(namespace) || !NAME.test(workload))
        return { ok: false, why: 'the name is not one of a pod' };
      const query = new URLSearchParams({
        query: `{namespace="${namespace}", pod=~"${workload.replaceAll('.', '[.]')}(-.*)?"}`,
        start: `${from.getTime()}000000`,
        end: `${to.getTime()}000000`,
        limit: String(options.maxLines),
        direction: 'backward',
      });
      try {
        const { status, body } = await request({
          method: 'GET',
          url: `${options.url}/loki/api/v1/query_range?${query.toString()}`,
          headers: toHeaders(options),
          timeoutMs: options.timeoutMs,
          maxBodyBytes: MAX_BYTES,
          signal,
        });
        return status === 200
          ? readLines(body, options.maxLines)
          : { ok: false, why: WORDS[status] ?? `status ${status}` };
      } catch (error) {
        return { ok: false, why: error instanceof HttpFailure ? FAILURES[error.kind] : 'no answer' };
      }
    },
  };
}

const WORDS: Readonly<Record<number, string>> = {
  401: 'not allowed to look',
  403: 'not allowed to look',
  404: 'no Loki at this address',
  429: 'too many questions',
};

const FAILURES: Readonly<Record<HttpFailure['kind'], string>> = {
  connect: 'no answer',
  timeout: 'no answer in time',
  reset: 'the connection broke',
  redirect: 'answered with a redirect',
  'too-large': 'too many lines',
};

function readLines(body: string, maxLines: number): Logs {
  try {
    const { data } = answerSchema.parse(JSON.parse(body));
    const values = data.result.flatMap(({ values }) => values).toSorted(([a], [b]) => (a < b ? 1 : -1));
    return { ok: true, lines: values.slice(0, maxLines).map(([, line]) => line) };
  } catch {
    return { ok: false, why: 'an answer that is not Loki’s' };
  }
}

function toHeaders({ token, user, password, tenant }: LokiOptions): Record<string, string> {
  const basic = user === null ? null : Buffer.from(`${user}:${password ?? ''}`).toString('base64');
  return {
    accept: 'application/json',
    ...(token !== null ? { authorization: `Bearer ${token}` } : {}),
    ...(token === null && basic !== null ? { authorization: `Basic ${basic}` } : {}),
    ...(tenant !== null ? { 'x-scope-orgid': tenant } : {}),
  };
}
