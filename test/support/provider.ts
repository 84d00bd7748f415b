/** What a stand-in for a provider is made of, and how it reads a request. */
import type http from 'node:http';

import type { Push } from './sinks.ts';

/** The one secret that every stand-in accepts. */
export const TOKEN = 'sink-token';

/** What the real server would object to. */
export interface Refusal {
  readonly status: number;
  readonly body: object | string;
}

/** One provider's behaviour. */
export interface Provider {
  readonly name: string;
  env(url: string): Readonly<Record<string, string>>;
  /** Reads a request; `refusal` is what the real server would object to. */
  read(
    incoming: http.IncomingMessage,
    body: string,
  ): { readonly push: Push; readonly refusal: Refusal | null };
  yes(push: Push, count: number): Yes;
}

/** The real server's answer to a message it takes. */
export interface Yes {
  /** 200 unless told. */
  readonly status?: number;
  readonly body: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request as a ledger keeps it. */
export function toPush(
  { headers, method, url }: http.IncomingMessage,
  raw: Readonly<Record<string, unknown>>,
  read: Readonly<Record<'title' | 'text' | 'priority' | 'link' | 'key', unknown>>,
): Push {
  const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
  const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return {
    call: `${method} ${url}`,
    title: textOf(read.title),
    text: textOf(read.text),
    priority: typeof read.priority === 'number' ? read.priority : textOf(read.priority),
    link: textOrNull(read.link),
    key: textOrNull(read.key),
    headers,
    raw,
    at: new Date(),
  };
}

/** A body as an object; empty for anything else, so that a server may refuse it. */
export function parseJson(body: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(body);
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** What is at a path of keys; undefined where there is nothing. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[key] : undefined,
    value,
  );
}
