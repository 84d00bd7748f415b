/** PagerDuty, Opsgenie, Jira Service Management and Twilio as they accept, refuse and answer (November 2026). */
import { at, parseJson, TOKEN, toPush } from './provider.ts';
import type { Provider } from './provider.ts';

const ROUTING_KEY = `${'0'.repeat(22)}5ec2e7ABCD`;
const ACCOUNT = `AC${'0'.repeat(32)}`;

/** Events API v2 with one integration. */
export const pagerduty: Provider = {
  name: 'pagerduty',
  env: (url) => ({ PAGERDUTY_URL: url, PAGERDUTY_ROUTING_KEY: ROUTING_KEY }),
  read(incoming, body) {
    const raw = parseJson(body);
    const push = toPush(incoming, raw, {
      title: at(raw, 'payload', 'summary'),
      text: at(raw, 'payload', 'custom_details', 'text'),
      priority: at(raw, 'payload', 'severity'),
      link: at(raw, 'links', 0, 'href'),
      key: raw['dedup_key'],
    });
    const errors = [
      incoming.url === '/v2/enqueue' ? null : 'no such path',
      raw['routing_key'] === ROUTING_KEY ? null : "'routing_key' is invalid",
      raw['event_action'] !== 'trigger' || push.title !== '' ? null : "'payload.summary' is missing or blank",
      raw['event_action'] !== 'trigger' || /^(critical|error|warning|info)$/.test(String(push.priority))
        ? null
        : "'payload.severity' is invalid",
    ].filter((error) => error !== null);
    const refusal = {
      status: 400,
      body: { status: 'invalid event', message: 'Event object is invalid', errors },
    };
    return { push, refusal: errors.length === 0 ? null : refusal };
  },
  yes: ({ key }) => ({
    status: 202,
    body: { status: 'success', message: 'Event processed', dedup_key: `${key}` },
  }),
};

/** Opsgenie's alert API, and the same of Jira Service Management below a path. */
export const opsgenie = defineAlerts('opsgenie', '');
export const jsm = defineAlerts('jsm', '/jsm/ops/integration');

function defineAlerts(name: 'opsgenie' | 'jsm', base: string): Provider {
  const prefix = name.toUpperCase();
  return {
    name,
    env: (url) => ({ [`${prefix}_URL`]: `${url}${base}`, [`${prefix}_API_KEY`]: TOKEN }),
    read(incoming, body) {
      const raw = parseJson(body);
      const alias = /^\/v2\/alerts\/([^/]+)\/(close|acknowledge)\?identifierType=alias$/.exec(
        incoming.url?.slice(base.length) ?? '',
      )?.[1];
      const push = toPush(incoming, raw, {
        title: raw['message'],
        text: raw['description'],
        priority: raw['priority'],
        link: Object.values(raw['details'] ?? {})[0],
        key: alias ?? raw['alias'],
      });
      const refuse = (status: number, message: string) => ({
        push,
        refusal: { status, body: { message, took: 0.001, requestId: 'refused' } },
      });
      if (incoming.headers.authorization !== `GenieKey ${TOKEN}`)
        return refuse(401, 'Could not authenticate');
      if (alias === undefined && incoming.url !== `${base}/v2/alerts`) return refuse(404, 'No such path');
      if (alias === undefined && push.title === '') return refuse(422, 'Message can not be empty.');
      if (push.title.length > 130) return refuse(422, 'Message is too long.');
      return { push, refusal: null };
    },
    yes: (_push, count) => ({
      status: 202,
      body: { result: 'Request will be processed', took: 0.1, requestId: `sink-${count}` },
    }),
  };
}

/** Twilio's Messages with one account and one number. */
export const sms: Provider = {
  name: 'sms',
  env: (url) => ({
    SMS_URL: url,
    SMS_ACCOUNT_SID: ACCOUNT,
    SMS_AUTH_TOKEN: TOKEN,
    SMS_FROM: '+15005550006',
    SMS_TO: '+447700900123',
  }),
  read(incoming, body) {
    const raw = Object.fromEntries(new URLSearchParams(body));
    const lines = (raw['Body'] ?? '').split('\n');
    const push = toPush(incoming, raw, {
      title: lines[0],
      text: lines.slice(1).join('\n'),
      priority: '',
      link: /https?:\/\/\S+$/.exec(raw['Body'] ?? '')?.[0],
      key: null,
    });
    const refuse = (status: number, code: number, message: string) => ({
      push,
      refusal: {
        status,
        body: { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status },
      },
    });
    const pair = Buffer.from(`${ACCOUNT}:${TOKEN}`).toString('base64');
    if (incoming.headers.authorization !== `Basic ${pair}`) return refuse(401, 20003, 'Authenticate');
    if (incoming.url !== `/2010-04-01/Accounts/${ACCOUNT}/Messages.json`)
      return refuse(404, 20404, 'The requested resource was not found');
    if (raw['To'] !== '+447700900123')
      return refuse(400, 21211, "The 'To' number is not a valid phone number.");
    if (!/^[\x20-\x7e\n]+$/.test(raw['Body'] ?? '')) return refuse(400, 21602, 'Message body is required.');
    return { push, refusal: null };
  },
  yes: (_push, count) => ({
    status: 201,
    body: { sid: `SM${String(count).padStart(32, '0')}`, status: 'queued', error_code: null },
  }),
};
