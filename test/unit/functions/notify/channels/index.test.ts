import { describe, expect, it } from 'vitest';

import { CHANNEL_TYPES, channelsFromEnv } from '../../../../../functions/notify/channels/index.ts';
import { ConfigError } from '../../../../../shared/errors.ts';
import { PROVIDERS } from '../../../../support/providers.ts';
import { makeButton, makeMessage } from '../../../../support/messages.ts';

const EMAIL = { EMAIL_HOST: 'smtp.example.org', EMAIL_FROM: 'a@example.org', EMAIL_TO: 'b@example.org' };
const EVERY_ENV = Object.assign(
  {},
  EMAIL,
  ...Object.values(PROVIDERS)
    .filter(({ name }) => name !== 'slack')
    .map((provider) => provider.env('https://sink.example.org')),
) as Record<string, string>;

describe.each(CHANNEL_TYPES)('$type', (channelType) => {
  const { type, variables, keyed, facts, preview } = channelType;

  it('sends what its fixture says', async () => {
    const button = makeButton();
    const documents = {
      opened: preview(makeMessage({ button })),
      resolved: preview(
        makeMessage(
          { button },
          { kind: 'resolved', openEpisodes: 0, endedAt: new Date('2024-01-15T02:50:00Z') },
        ),
      ),
    };
    await expect(`${JSON.stringify(documents, null, 2)}\n`).toMatchFileSnapshot(
      `../../../../fixtures/channels/${type}.json`,
    );
  });

  it('has variables that begin with its type, so that a routes file can name several of it', () => {
    expect(variables.filter((name) => !name.startsWith(`${type.toUpperCase()}_`))).toEqual([]);
  });

  it('is made as its definition says', () => {
    const channel = channelType.fromEnv(EVERY_ENV, 'ops');
    expect(channel).toMatchObject({ name: 'ops', type, keyed, closes: facts.closes !== null });
    expect(channel?.update !== undefined).toBe(facts.updates !== null);
    expect(keyed).toBe(facts.collapses !== null);
    expect(channelType.fromEnv(EVERY_ENV)?.name).toBe(type);
  });
});

describe('channelsFromEnv', () => {
  it('makes every channel whose variables are set', () => {
    const channels = channelsFromEnv(EVERY_ENV);
    expect(channels.map(({ name }) => name)).toEqual(CHANNEL_TYPES.map(({ type }) => type));
    // Pagers, because only the end closes what is open there; Slack's bot and Discord, because it only edits.
    expect(channels.filter(({ sendResolved }) => sendResolved).map(({ name }) => name)).toEqual([
      'slack',
      'discord',
      'pagerduty',
      'opsgenie',
      'jsm',
    ]);
  });

  it('makes none when nothing is set, and takes empty as unset', () => {
    expect(channelsFromEnv({})).toEqual([]);
    expect(channelsFromEnv({ GOTIFY_URL: '', GOTIFY_TOKEN: ' ', NTFY_SEND_RESOLVED: 'true' })).toEqual([]);
  });

  it('tells the end where asked to, and where it only edits', () => {
    const bot = PROVIDERS['slack-bot'].env('https://sink.example.org');
    const [gotify] = channelsFromEnv({
      ...PROVIDERS.gotify.env('https://sink.example.org'),
      GOTIFY_SEND_RESOLVED: 'true',
    });
    expect(gotify?.sendResolved).toBe(true);
    expect(channelsFromEnv(bot)[0]).toMatchObject({ sendResolved: true });
    expect(channelsFromEnv({ ...bot, SLACK_SEND_RESOLVED: 'false' })[0]).toMatchObject({
      sendResolved: false,
    });
  });

  it('names all problems of all half-set channels at once, and no value', () => {
    const env = {
      GOTIFY_URL: 'ftp://secret-value',
      NTFY_URL: 'https://ntfy.sh/secret-value',
      NTFY_TOPIC: 'secret value',
      NTFY_USER: 'secret-value',
      NTFY_TOKEN: 'secret-value',
      PUSHOVER_TOKEN: 'secret\nvalue',
      SLACK_WEBHOOK_URL: 'hooks.slack.com/secret-value',
      SLACK_BOT_TOKEN: 'secret-value',
      TEAMS_WEBHOOK_URL: 'https://secret:value@example.org/',
      PAGERDUTY_ROUTING_KEY: 'secret-value',
      JSM_URL: 'https://secret-value/?a',
      EMAIL_HOST: 'secret value',
      EMAIL_TO: 'secret-value',
      EMAIL_USER: 'secret-value',
      SMS_TO: 'secret-value',
      SMS_FROM: 'secret-value!',
      WEBHOOK_TOKEN: 'secret-value',
      WEBHOOK_SEND_RESOLVED: 'secret-value',
    };
    const error = errorOf(() => channelsFromEnv(env));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).not.toMatch(/secret/);
    const lines = error.message.split('\n');
    expect(lines).toContain(
      'GOTIFY_URL is not an http or https address without user and password, for example GOTIFY_URL=https://gotify.example.org',
    );
    expect(lines.map((line) => /^\w+/.exec(line)?.[0])).toEqual([
      'GOTIFY_URL',
      'GOTIFY_TOKEN',
      'NTFY_URL',
      'NTFY_TOPIC',
      'NTFY_USER',
      'NTFY_TOKEN',
      'PUSHOVER_TOKEN',
      'PUSHOVER_USER',
      'SLACK_WEBHOOK_URL',
      'SLACK_BOT_TOKEN',
      'Slack',
      'TEAMS_WEBHOOK_URL',
      'PAGERDUTY_ROUTING_KEY',
      'JSM_API_KEY',
      'JSM_URL',
      'EMAIL_HOST',
      'EMAIL_FROM',
      'EMAIL_TO',
      'EMAIL_USER',
      'SMS_ACCOUNT_SID',
      'SMS_AUTH_TOKEN',
      'SMS_FROM',
      'SMS_TO',
      'WEBHOOK_URL',
      'WEBHOOK_SEND_RESOLVED',
    ]);
  });
});

function errorOf(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
