/**
 * doctor's look at the secrets of channels: whoever has an API that says "this token is good" without a message is asked.
 * For the others the last deliveries tell (check-database.ts), and send-test.
 */
import { HttpFailure, request } from '../shared/http.ts';
import type { HttpResponse } from '../shared/http.ts';
import type { Environment } from '../shared/env.ts';

const TIMEOUT_MS = 3_000;

/** Whether the provider knows the secret: null when it cannot be asked without sending. */
type Probe = (env: Environment) => Promise<boolean | null>;

/** Gotify checks the token before the message, and a message without text is none (gotify/server, api/message.go). */
const gotify: Probe = async (env) => {
  const answer = await ask({
    method: 'POST',
    url: `${base(env['GOTIFY_URL'])}/message`,
    headers: { 'x-gotify-key': env['GOTIFY_TOKEN'] ?? '', 'content-type': 'application/json' },
    body: '{}',
  });
  return toVerdict(answer, [401, 403], [400]);
};

/** The account's own page answers only to whom it belongs (https://docs.ntfy.sh/publish/#authentication). */
const ntfy: Probe = async (env) => {
  const { NTFY_TOKEN: token, NTFY_USER: user, NTFY_PASSWORD: password } = env;
  if (token === undefined && user === undefined) return null;
  const authorization =
    token === undefined
      ? `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}`
      : `Bearer ${token}`;
  const url = `${base(env['NTFY_URL'] ?? 'https://ntfy.sh')}/v1/account`;
  return toVerdict(await ask({ method: 'GET', url, headers: { authorization } }), [401, 403], [200]);
};

/** https://pushover.net/api#validate */
const pushover: Probe = async (env) => {
  const body = new URLSearchParams({ token: env['PUSHOVER_TOKEN'] ?? '', user: env['PUSHOVER_USER'] ?? '' });
  const answer = await ask({
    method: 'POST',
    url: `${base(env['PUSHOVER_URL'] ?? 'https://api.pushover.net')}/1/users/validate.json`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: body.toString(),
  });
  return toVerdict(answer, [400, 401], [200]);
};

/** https://docs.slack.dev/reference/methods/auth.test: answers 200 with `ok` either way. */
const slack: Probe = async (env) => {
  const token = env['SLACK_BOT_TOKEN'];
  if (token === undefined) return null;
  const answer = await ask({
    method: 'POST',
    url: `${base(env['SLACK_URL'] ?? 'https://slack.com')}/api/auth.test`,
    headers: { authorization: `Bearer ${token}` },
    body: '',
  });
  if (answer?.status !== 200) return null;
  return /"ok"\s*:\s*true/.test(answer.body);
};

const PROBES: Readonly<Record<string, Probe>> = { gotify, ntfy, pushover, slack };

/** Asks the provider of a type of channel about its secret; null where nobody can tell without a message. */
export async function probeSecret(type: string, env: Environment): Promise<boolean | null> {
  return (await PROBES[type]?.(env)) ?? null;
}

function toVerdict(
  answer: HttpResponse | null,
  refused: readonly number[],
  taken: readonly number[],
): boolean | null {
  if (answer === null) return null;
  if (refused.includes(answer.status)) return false;
  return taken.includes(answer.status) ? true : null;
}

function base(url: string | undefined): string {
  return (url ?? '').replace(/\/+$/, '');
}

async function ask(options: {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: string;
}): Promise<HttpResponse | null> {
  try {
    return await request({ ...options, timeoutMs: TIMEOUT_MS });
  } catch (error) {
    if (error instanceof HttpFailure) return null;
    throw error;
  }
}
