/** JSON log lines. The first argument is data, the second a short constant sentence; never a URL with a token, a header or a payload. */
import { destination, pino } from 'pino';
import type { Logger } from 'pino';

export type { Logger };

/** Longest string that one log field may carry, in characters: one request cannot flood the log. */
const FIELD_LIMIT = 2_000;

/** Creates the log of one component; fields follow the users' names (timestamp, level, message, component). */
export function createLog(component: string, level: string): Logger {
  return pino(
    {
      level,
      base: { component },
      messageKey: 'message',
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }), log: (fields) => capFields(fields) },
      redact: {
        paths: ['token', 'password', 'authorization', '*.token', '*.password', '*.authorization'],
        censor: '***',
      },
    },
    // Written at once: one write to a pipe costs less than handing it to a thread, and no line is lost at the end.
    destination({ fd: 1, sync: true }),
  );
}

/** What a log line may say of an unknown failure: its class, reason and text, without secrets of URLs. */
export function describeError(error: unknown): { error: string; reason?: string; cause?: string } {
  if (!(error instanceof Error)) return { error: maskUrls(String(error)) };
  const reason = 'reason' in error && typeof error.reason === 'string' ? { reason: error.reason } : {};
  const cause = error.cause instanceof Error ? { cause: maskUrls(error.cause.message) } : {};
  return { error: maskUrls(`${error.name}: ${error.message}`), ...reason, ...cause };
}

/** Where an unknown failure was thrown, without secrets of URLs; undefined for what has no stack. */
export function stackOf(error: unknown): string | undefined {
  return error instanceof Error && error.stack !== undefined ? maskUrls(error.stack) : undefined;
}

function maskUrls(text: string): string {
  return text.slice(0, FIELD_LIMIT).replaceAll(/(\w+:\/\/)[^\s/]*@/g, '$1***@');
}

function capFields(fields: Record<string, unknown>): Record<string, unknown> {
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string' && value.length > FIELD_LIMIT)
      fields[name] = `${value.slice(0, FIELD_LIMIT)}…`;
  }
  return fields;
}
