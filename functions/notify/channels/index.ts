/** The table of channels: one row each. */
import { ConfigError } from '../../../shared/errors.ts';
import type { Channel, ChannelDefinition, Env } from '../channel.ts';
import { discord } from './discord.ts';
import { email } from './email.ts';
import { gotify } from './gotify.ts';
import { ntfy } from './ntfy.ts';
import { jsm, opsgenie } from './opsgenie.ts';
import { pagerduty } from './pagerduty.ts';
import { pushover } from './pushover.ts';
import { slack } from './slack.ts';
import { sms } from './sms.ts';
import { teams } from './teams.ts';
import { webhook } from './webhook.ts';

export type { Channel } from '../channel.ts';

/** A kind of channel without its config's type, so that all of them fit into one table. */
export interface ChannelType extends Omit<ChannelDefinition<unknown>, 'fromEnv' | 'create'> {
  /** The channel that the variables configure, null when none of them is set; ConfigError when they do not suffice. */
  fromEnv(env: Env, name?: string): Channel | null;
  /** The address of the provider's server, to look whether it can be reached; null where none is configured. */
  addressFromEnv(env: Env): string | null;
}

/** All kinds of channels, in the order in which they are documented. */
export const CHANNEL_TYPES: readonly ChannelType[] = [
  row(gotify),
  row(ntfy),
  row(pushover),
  row(slack),
  row(teams),
  row(discord),
  row(pagerduty),
  row(opsgenie),
  row(jsm),
  row(email),
  row(sms),
  row(webhook),
];

/** Every channel whose variables are set; throws one ConfigError with all problems of all half-set channels. */
export function channelsFromEnv(env: Env): Channel[] {
  const channels: Channel[] = [];
  const problems: string[] = [];
  for (const type of CHANNEL_TYPES) {
    try {
      const channel = type.fromEnv(env);
      if (channel !== null) channels.push(channel);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(error.message);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return channels;
}

function row<Config>(definition: ChannelDefinition<Config>): ChannelType {
  return {
    ...definition,
    fromEnv(env, name) {
      const config = definition.fromEnv(env);
      return config === null ? null : definition.create(config, name);
    },
    addressFromEnv(env) {
      const entries = Object.entries(definition.fromEnv(env) ?? {});
      const [, address] = entries.find(([name, value]) => name.endsWith('_URL') && value !== undefined) ?? [];
      return typeof address === 'string' ? address : null;
    },
  };
}
