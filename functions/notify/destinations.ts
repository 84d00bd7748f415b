/** The channels of this process and the router between them: from a routes file, or from variables alone. */
import { readFileSync } from 'node:fs';
import { ConfigError } from '../../shared/errors.ts';
import type { Pace } from '../../shared/postgres/pace.ts';
import type { Channel, Env } from './channel.ts';
import { CHANNEL_TYPES, channelsFromEnv } from './channels/index.ts';
import type { Config } from './config.ts';
import { createPlainRouter } from './routing.ts';
import type { Router } from './routing.ts';

export interface Destinations {
  readonly channels: readonly Channel[];
  readonly router: Router;
  /** The pace of channels that have one, by name. */
  readonly paces: ReadonlyMap<string, Pace>;
  /** The channels of digests by their name, where the routes file says so. */
  readonly digests: ReadonlyMap<string, readonly string[]>;
}

/** Reads them; a {@link ConfigError} tells every problem at once. What reads a routes file is loaded only for one. */
export async function readDestinations(
  config: Pick<Config, 'ROUTES' | 'NOTIFY_MIN_SEVERITY'>,
  env: Env,
): Promise<Destinations> {
  if (config.ROUTES === undefined) {
    const channels = channelsFromEnv(env);
    return {
      channels,
      router: createPlainRouter(channels, config.NOTIFY_MIN_SEVERITY),
      paces: new Map(),
      digests: new Map(),
    };
  }
  const [{ readRoutes, formatProblems }, { createInstances }, { createRouter }] = await Promise.all([
    import('./routes-file.ts'),
    import('./channel-instances.ts'),
    import('./routes.ts'),
  ]);
  const read = readRoutes(config.ROUTES, new Set(CHANNEL_TYPES.map(({ type }) => type)));
  if (!('file' in read))
    throw new ConfigError(`the routes are not usable:\n${formatProblems(read, 'routes')}`);
  const { channels, problems } = createInstances(read, CHANNEL_TYPES, { env, readFile });
  if (problems.length > 0)
    throw new ConfigError(`the routes are not usable:\n${formatProblems(problems, 'routes')}`);
  const paces = read.file.channels.flatMap(({ name, rate }) =>
    rate === undefined ? [] : [[name, { max: rate.max, perMs: rate.per }] as const],
  );
  const digests = read.file.digests.map(({ name, channels: of }) => [name, of] as const);
  return {
    channels,
    router: createRouter(read.file, channels),
    paces: new Map(paces),
    digests: new Map(digests),
  };
}

function readFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
