/**
 * Opsgenie and its successor, the operations part of Jira Service Management: the same alerts under two hosts.
 * An incident opens one alert under its alias, which the incident's end closes.
 */
import * as z from 'zod';

import type { Severity } from '../../../shared/severity.ts';
import {
  readConfig,
  serverVariable,
  wordVariable,
  type Channel,
  type ChannelDefinition,
} from '../channel.ts';
import { toLinks, toProse } from '../links.ts';
import type { Message } from '../message.ts';
import { callProvider } from '../provider.ts';
import { inert, truncateRunes } from '../text.ts';

/** https://docs.opsgenie.com/docs/alert-api#create-alert: characters. */
const MESSAGE_CHARS = 130;
const ALIAS_CHARS = 512;
const DESCRIPTION_CHARS = 15_000;
const ENTITY_CHARS = 512;
const NOTE_CHARS = 25_000;
/** The same page: twenty tags of fifty characters. */
const TAGS = 20;
const TAG_CHARS = 50;
/** https://docs.opsgenie.com/docs/alert-priority-settings. */
const PRIORITIES = {
  critical: 'P1',
  warning: 'P3',
  info: 'P5',
  none: 'P5',
  unknown: 'P3',
} as const satisfies Record<Severity, string>;

type AlertsConfig = Readonly<Record<string, string>>;

/** Which path below `/v2/alerts` is called, and with what. */
export interface AlertsCall {
  readonly path: string;
  readonly body: object;
}

/** Creates the alert, or closes it; a decision is somebody's answer, so it acknowledges and never opens anything. */
export function toAlerts(message: Message): AlertsCall {
  const alias = message.key.slice(0, ALIAS_CHARS);
  const on = (action: string): AlertsCall => ({
    path: `/${encodeURIComponent(alias)}/${action}?identifierType=alias`,
    body: {
      source: 'alertgest',
      note: disarm(truncateRunes(`${message.title}\n${toProse(message)}`, NOTE_CHARS)),
    },
  });
  if (message.resolved) return on('close');
  if (message.isDecision) return on('acknowledge');
  const { identity, namespace, cluster } = message.facts;
  return {
    path: '',
    body: {
      message: disarm(truncateRunes(message.title, MESSAGE_CHARS)),
      alias,
      description: disarm(truncateRunes(toProse(message), DESCRIPTION_CHARS)),
      entity: disarm(inert(identity || namespace || cluster, ENTITY_CHARS)),
      source: 'alertgest',
      priority: message.priority === 'silent' ? 'P5' : PRIORITIES[message.severity],
      tags: message.tags.slice(0, TAGS).map((tag) => disarm(truncateRunes(tag, TAG_CHARS))),
      details: Object.fromEntries(toLinks(message).map(({ label, url }) => [label.replace('…', ''), url])),
    },
  };
}

/** Descriptions are shown as HTML on the web and as text in the app, so angle brackets are replaced rather than escaped. */
function disarm(text: string): string {
  return text.replaceAll('<', '‹').replaceAll('>', '›');
}

interface Host {
  readonly type: 'opsgenie' | 'jsm';
  readonly title: string;
  readonly docs: string;
  readonly url: string;
}

function defineAlerts({ type, title, docs, url }: Host): ChannelDefinition<AlertsConfig> {
  const keyName = `${type.toUpperCase()}_API_KEY`;
  const urlName = `${type.toUpperCase()}_URL`;
  const schema = z.object({
    [keyName]: wordVariable(keyName, 'the-key-of-an-api-integration'),
    [urlName]: serverVariable(urlName, url).default(url),
  });
  return {
    type,
    keyed: true,
    facts: {
      title,
      docs,
      limits: `message ${MESSAGE_CHARS}, description ${DESCRIPTION_CHARS}, alias ${ALIAS_CHARS} characters`,
      rate: 'by plan, not published',
      loudness: 'P1 / P3 / P5',
      button: 'link',
      closes: 'closes the alert',
      updates: null,
      collapses: '`alias`',
    },
    variables: [keyName, urlName],
    fromEnv: (env) => readConfig(env, schema),
    create: (config, name = type): Channel => ({
      name,
      type,
      sendResolved: true,
      closes: true,
      keyed: true,
      send(message, { signal }) {
        const { path, body } = toAlerts(message);
        return callProvider({
          channel: name,
          url: `${config[urlName] ?? url}/v2/alerts${path}`,
          headers: { 'content-type': 'application/json', authorization: `GenieKey ${config[keyName] ?? ''}` },
          body: JSON.stringify(body),
          signal,
          retries: (status) => status === 408 || status === 429 || status >= 500,
          accepted,
        });
      },
    }),
    preview: toAlerts,
  };
}

/** 202: taken for processing, under a number that can be asked about. */
function accepted(body: unknown): string | undefined {
  const parsed = z.object({ requestId: z.string().min(1) }).safeParse(body);
  return parsed.success ? parsed.data.requestId : undefined;
}

export const opsgenie = defineAlerts({
  type: 'opsgenie',
  title: 'Opsgenie',
  docs: 'https://docs.opsgenie.com/docs/alert-api',
  url: 'https://api.opsgenie.com',
});

export const jsm = defineAlerts({
  type: 'jsm',
  title: 'Jira Service Management',
  docs: 'https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v2/api-group-integration-events/',
  url: 'https://api.atlassian.com/jsm/ops/integration',
});
