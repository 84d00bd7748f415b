/** Slack, Teams and Discord as they accept, refuse and answer (November 2026). */
import type http from 'node:http';

import { at, parseJson, TOKEN, toPush } from './provider.ts';
import type { Provider, Refusal } from './provider.ts';
import type { Push } from './sinks.ts';

const SLACK_CHANNEL = 'C024BE91L';

/** An incoming webhook: its address is the secret, its answers are words. */
export const slack: Provider = {
  name: 'slack',
  env: (url) => ({ SLACK_WEBHOOK_URL: `${url}/services/T024/B024/${TOKEN}` }),
  read(incoming, body) {
    const raw = parseJson(body);
    const push = readBlocks(incoming, raw);
    if (incoming.url !== `/services/T024/B024/${TOKEN}`)
      return { push, refusal: { status: 404, body: 'no_service' } };
    return { push, refusal: areBlocksValid(raw) ? null : { status: 400, body: 'invalid_blocks' } };
  },
  yes: () => ({ body: 'ok' }),
};

/** The Web API with a bot in one channel: refusals come with 200. */
export const slackBot: Provider = {
  name: 'slack-bot',
  env: (url) => ({ SLACK_URL: url, SLACK_BOT_TOKEN: TOKEN, SLACK_CHANNEL }),
  read(incoming, body) {
    const raw = parseJson(body);
    const push = readBlocks(incoming, raw);
    const refuse = (error: string): { push: Push; refusal: Refusal } => ({
      push,
      refusal: { status: 200, body: { ok: false, error } },
    });
    if (!['/api/chat.postMessage', '/api/chat.update'].includes(incoming.url ?? ''))
      return refuse('unknown_method');
    if (incoming.headers.authorization !== `Bearer ${TOKEN}`) return refuse('invalid_auth');
    if (raw['channel'] !== SLACK_CHANNEL) return refuse('channel_not_found');
    if (incoming.url === '/api/chat.update' && raw['ts'] === '1700000000.000404')
      return refuse('message_not_found');
    return areBlocksValid(raw) ? { push, refusal: null } : refuse('invalid_blocks');
  },
  yes: ({ raw }, count) => ({
    body: {
      ok: true,
      channel: SLACK_CHANNEL,
      ts: raw['ts'] ?? `1700000000.${String(count).padStart(6, '0')}`,
    },
  }),
};

/** A flow that was made from the "webhook request" template. */
export const teams: Provider = {
  name: 'teams',
  env: (url) => ({ TEAMS_WEBHOOK_URL: `${url}/powerautomate/flow?sig=${TOKEN}` }),
  read(incoming, body) {
    const raw = parseJson(body);
    const card = at(raw, 'attachments', 0, 'content');
    const runs = (at(card, 'body') as readonly unknown[]).map((block) => at(block, 'inlines', 0, 'text'));
    const push = toPush(incoming, raw, {
      title: runs[0],
      text: runs.slice(1).join('\n'),
      priority: at(card, 'body', 0, 'inlines', 0, 'color'),
      link: at(card, 'actions', 0, 'url'),
      key: null,
    });
    if (incoming.url !== `/powerautomate/flow?sig=${TOKEN}`)
      return {
        push,
        refusal: { status: 401, body: { error: { code: 'DirectApiAuthorizationRequired' } } },
      };
    const isTooLong = Buffer.byteLength(body) > 28_672;
    return {
      push,
      refusal: isTooLong ? { status: 413, body: { error: { code: 'RequestTooLarge' } } } : null,
    };
  },
  yes: () => ({ status: 202, body: '' }),
};

/** A webhook of one Discord channel. */
export const discord: Provider = {
  name: 'discord',
  env: (url) => ({ DISCORD_WEBHOOK_URL: `${url}/api/webhooks/175928847299117063/${TOKEN}` }),
  read(incoming, body) {
    const raw = parseJson(body);
    const push = toPush(incoming, raw, {
      title: unescape(at(raw, 'embeds', 0, 'title')),
      text: unescape(at(raw, 'embeds', 0, 'description')),
      priority: at(raw, 'embeds', 0, 'color'),
      link: at(raw, 'embeds', 0, 'url'),
      key: null,
    });
    const { pathname, searchParams } = new URL(incoming.url ?? '', 'http://sink');
    if (!pathname.startsWith(`/api/webhooks/175928847299117063/${TOKEN}`))
      return { push, refusal: { status: 401, body: { message: 'Invalid Webhook Token', code: 50027 } } };
    if (pathname.endsWith('/messages/404'))
      return { push, refusal: { status: 404, body: { message: 'Unknown Message', code: 10008 } } };
    if (incoming.method === 'POST' && searchParams.get('wait') !== 'true')
      throw new Error('without wait=true nobody learns whether the message was saved');
    const lengths = [at(raw, 'embeds', 0, 'title'), at(raw, 'embeds', 0, 'description')].map(
      (text) => String(text).length,
    );
    const fits = (lengths[0] ?? 0) <= 256 && (lengths[1] ?? 0) <= 4_096;
    return {
      push,
      refusal: fits ? null : { status: 400, body: { message: 'Invalid Form Body', code: 50035 } },
    };
  },
  yes: (_push, count) => ({ body: { id: `11000000000000000${count}`, type: 0, content: '' } }),
};

function readBlocks(incoming: http.IncomingMessage, raw: Readonly<Record<string, unknown>>): Push {
  const blocks = (raw['blocks'] ?? []) as readonly { readonly type: string }[];
  const block = (type: string): unknown => blocks.find((one) => one.type === type);
  return toPush(incoming, raw, {
    title: fromEntities(at(block('header'), 'text', 'text')),
    text: fromEntities(at(block('section'), 'text', 'text')),
    priority: '',
    link: at(block('actions'), 'elements', 0, 'url'),
    key: null,
  });
}

function areBlocksValid(raw: Readonly<Record<string, unknown>>): boolean {
  const blocks = (raw['blocks'] ?? []) as readonly { readonly type: string }[];
  const limits: Readonly<Record<string, number>> = { header: 150, section: 3_000 };
  return blocks.every((block) => {
    if (block.type === 'actions') return (at(block, 'elements') as readonly unknown[]).length <= 25;
    const { length } = String(at(block, 'text', 'text'));
    return length > 0 && length <= (limits[block.type] ?? 0);
  });
}

function fromEntities(text: unknown): string {
  return (typeof text === 'string' ? text : '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

function unescape(text: unknown): string {
  return (typeof text === 'string' ? text : '').replaceAll(/\\([^0-9A-Za-z\s])/g, '$1');
}
