/** What the real providers accept, refuse and answer; the shapes are those of their servers (July 2026). */
import { discord, slack, slackBot, teams } from './chat-providers.ts';
import { jsm, opsgenie, pagerduty, sms } from './pager-providers.ts';
import { at, parseJson, TOKEN, toPush } from './provider.ts';
import type { Provider, Refusal } from './provider.ts';

const USER = 'sink-user';
const TOPIC = 'sink-topic';

const gotify: Provider = {
  name: 'gotify',
  env: (url) => ({ GOTIFY_URL: url, GOTIFY_TOKEN: TOKEN }),
  read(incoming, body) {
    const raw = parseJson(body);
    const push = toPush(incoming, raw, {
      title: raw['title'],
      text: raw['message'],
      priority: raw['priority'],
      link: at(raw, 'extras', 'client::notification', 'click', 'url'),
      key: null,
    });
    const refuse = (status: number, error: string, errorDescription: string): Refusal => ({
      status,
      body: { error, errorCode: status, errorDescription },
    });
    if (incoming.url !== '/message') return { push, refusal: refuse(404, 'Not Found', 'page not found') };
    if (incoming.headers['x-gotify-key'] !== TOKEN) {
      const why = 'you need to provide a valid access token or user credentials to access this api';
      return { push, refusal: refuse(401, 'Unauthorized', why) };
    }
    if (push.text === '') {
      return { push, refusal: refuse(400, 'Bad Request', "Field 'message' is required") };
    }
    return { push, refusal: null };
  },
  yes: ({ raw, at: date }, count) => ({ body: { id: count, appid: 1, ...raw, date: date.toISOString() } }),
};

const ntfy: Provider = {
  name: 'ntfy',
  env: (url) => ({ NTFY_URL: url, NTFY_TOPIC: TOPIC, NTFY_TOKEN: TOKEN }),
  read(incoming, body) {
    const raw = parseJson(body);
    const push = toPush(incoming, raw, {
      title: raw['title'],
      text: raw['message'],
      priority: raw['priority'],
      link: raw['click'],
      key: raw['sequence_id'],
    });
    const refuse = (code: number, error: string): Refusal => ({
      status: Math.floor(code / 100),
      body: { code, http: Math.floor(code / 100), error, link: 'https://ntfy.sh/docs/publish/' },
    });
    if (incoming.url !== '/') return { push, refusal: refuse(40401, 'page not found') };
    if (incoming.headers.authorization !== `Bearer ${TOKEN}`)
      return { push, refusal: refuse(40301, 'forbidden') };
    if (raw['topic'] !== TOPIC) return { push, refusal: refuse(40009, 'invalid request: topic invalid') };
    if (Buffer.byteLength(body) > 8_192) {
      return { push, refusal: refuse(40024, 'invalid request: request body must be valid JSON') };
    }
    if (Buffer.byteLength(push.text) > 4_096) {
      return { push, refusal: refuse(40014, 'invalid request: attachments not allowed') };
    }
    return { push, refusal: null };
  },
  yes: ({ raw, at: date }, count) => {
    const time = Math.floor(date.getTime() / 1000);
    return { body: { id: `sink${count}`, time, expires: time + 43_200, event: 'message', ...raw } };
  },
};

const pushover: Provider = {
  name: 'pushover',
  env: (url) => ({ PUSHOVER_URL: url, PUSHOVER_TOKEN: TOKEN, PUSHOVER_USER: USER }),
  read(incoming, body) {
    const raw = Object.fromEntries(new URLSearchParams(body));
    const push = toPush(incoming, raw, {
      title: raw['title'],
      text: raw['message'],
      priority: Number(raw['priority'] ?? 0),
      link: raw['url'],
      key: null,
    });
    const refuse = (field: string, problem: string): Refusal => ({
      status: 400,
      body: { [field]: 'invalid', errors: [problem], status: 0, request: 'refused' },
    });
    if (raw['token'] !== TOKEN) return { push, refusal: refuse('token', 'application token is invalid') };
    if (raw['user'] !== USER) return { push, refusal: refuse('user', 'user identifier is not a valid user') };
    if (push.text === '') return { push, refusal: refuse('message', 'message cannot be blank') };
    if (Array.from(push.text).length > 1_024)
      return { push, refusal: refuse('message', 'message is too long') };
    return { push, refusal: null };
  },
  yes: (_push, count) => ({
    body: { status: 1, request: `sink-${count}` },
    headers: { 'x-limit-app-limit': '10000', 'x-limit-app-remaining': String(10_000 - count) },
  }),
};

const webhook: Provider = {
  name: 'webhook',
  env: (url) => ({ WEBHOOK_URL: `${url}/alertgest`, WEBHOOK_TOKEN: TOKEN }),
  read(incoming, body) {
    const raw = parseJson(body);
    const push = toPush(incoming, raw, {
      title: raw['title'],
      text: raw['body'],
      priority: raw['priority'],
      link: raw['link'],
      key: incoming.headers['idempotency-key'],
    });
    const allowed = incoming.headers.authorization === `Bearer ${TOKEN}`;
    return { push, refusal: allowed ? null : { status: 401, body: { error: 'unauthorized' } } };
  },
  yes: (_push, count) => ({ body: { ok: true, id: `sink-${count}` } }),
};

/** All of them, by the type of our channel; Slack has two ways in. */
export const PROVIDERS = {
  gotify,
  ntfy,
  pushover,
  slack,
  'slack-bot': slackBot,
  teams,
  discord,
  pagerduty,
  opsgenie,
  jsm,
  sms,
  webhook,
};
