/** The channels of a routes file: each `settings` entry is the variable `<TYPE>_<SETTING>` of its type; secrets come from elsewhere. */
import { readVariable } from '../../shared/env.ts';
import { AppError, ConfigError } from '../../shared/errors.ts';
import type { Channel, Env } from './channel.ts';
import type { ChannelType } from './channels/index.ts';
import type { Path, Problem, ReadRoutes } from './routes-file.ts';
import type { ChannelInput } from './routes-schema.ts';

/** Settings that are secrets by their name; they are never written into the file itself. */
const SECRET = /(?:^|_)(?:token|key|password|secret|webhook_url)$/;

/** Where secrets come from; `readFile` answers null for a file that cannot be read. */
export interface Secrets {
  readonly env: Env;
  readonly readFile: (path: string) => string | null;
}

/** Creates the channels of a file and those that only have variables, or tells every problem. */
export function createInstances(
  { file, problemAt }: ReadRoutes,
  types: readonly ChannelType[],
  secrets: Secrets,
): { readonly channels: readonly Channel[]; readonly problems: readonly Problem[] } {
  const channels: Channel[] = [];
  const problems: Problem[] = [];
  const attempt = (path: Path, create: () => Channel | null): void => {
    try {
      const channel = create();
      if (channel !== null) channels.push(channel);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const where = path.length === 0 ? 'beside this file: ' : '';
      problems.push(...error.message.split('\n').map((text) => problemAt(path, `${where}${text}`)));
    }
  };
  for (const [index, input] of file.channels.entries()) {
    const type = types.find((each) => each.type === input.type);
    const path = ['channels', index] as const;
    if (type !== undefined)
      attempt(path, () => createInstance(input, type, path, secrets, problems, problemAt));
  }
  const named = new Set(file.channels.map(({ name }) => name));
  const fromVariables = new Set(
    file.channels.flatMap(({ type, settings }) => (settings === undefined ? [type] : [])),
  );
  for (const type of types) {
    if (!fromVariables.has(type.type) && !named.has(type.type)) attempt([], () => type.fromEnv(secrets.env));
  }
  return { channels, problems: [...problems, ...findMissing({ file, problemAt }, channels, problems)] };
}

function createInstance(
  { name, settings }: ChannelInput,
  type: ChannelType,
  path: Path,
  secrets: Secrets,
  problems: Problem[],
  problemAt: ReadRoutes['problemAt'],
): Channel | null {
  const prefix = `${type.type.toUpperCase()}_`;
  if (settings === undefined) {
    const channel = type.fromEnv(secrets.env, name);
    if (channel === null) throw new ConfigError(`has no settings, and no ${prefix}… variable is set`);
    return channel;
  }
  const before = problems.length;
  const variables: Record<string, string> = {};
  for (const [setting, value] of Object.entries(settings)) {
    const variable = `${prefix}${setting.toUpperCase()}`;
    const problem = type.variables.includes(variable)
      ? readSetting(setting, String(value), secrets, (text) => {
          variables[variable] = text;
        })
      : `is no setting of ${type.type}; there are ${type.variables.map((each) => each.slice(prefix.length).toLowerCase()).join(', ')}`;
    if (problem !== null) problems.push(problemAt([...path, 'settings', setting], problem));
  }
  if (problems.length > before) return null;
  try {
    const channel = type.fromEnv(variables, name);
    if (channel === null) throw new ConfigError(`needs settings`);
    return channel;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(
      error.message.replaceAll(
        new RegExp(`\\b${prefix}([A-Z_]+)`, 'g'),
        (_all, rest: string) => `settings.${rest.toLowerCase()}`,
      ),
    );
  }
}

/** Takes a setting's value, following `env:` and `file:`; answers what is wrong with it, or null. */
function readSetting(
  setting: string,
  value: string,
  { env, readFile }: Secrets,
  take: (text: string) => void,
): string | null {
  const [, source, place = ''] = /^(env|file):(.+)$/s.exec(value) ?? [];
  if (source === undefined) {
    if (SECRET.test(setting)) return `is a secret and is not written here; use env:NAME or file:/path`;
    take(value);
    return null;
  }
  const found = source === 'env' ? readVariable(env, place) : readFile(place);
  if (found === undefined) return `needs the variable ${place}, which is not set`;
  if (found === null) return `needs the file ${place}, which cannot be read`;
  take(found.trimEnd());
  return null;
}

/** Routes may name a type whose variables are set; those that are not are told where they are named. */
function findMissing(
  { file, problemAt }: ReadRoutes,
  channels: readonly Channel[],
  problems: readonly Problem[],
): readonly Problem[] {
  if (problems.length > 0) return [];
  const known = new Set(channels.map(({ name }) => name));
  const missing: Problem[] = [];
  const look = (routes: (typeof file)['routes'][number]['routes'], path: Path): void => {
    for (const [index, route] of routes.entries()) {
      const here = [...path, index];
      const lists = [
        [route.channels, [...here, 'channels']],
        [route.fallback, [...here, 'fallback']],
        [route.escalate?.channels, [...here, 'escalate', 'channels']],
      ] as const;
      for (const [names, at] of lists) {
        for (const [place, name] of (names ?? []).entries()) {
          if (!known.has(name))
            missing.push(
              problemAt([...at, place], `names ${name}, but no ${name.toUpperCase()}_… variable is set`),
            );
        }
      }
      look(route.routes, [...here, 'routes']);
    }
  };
  look(file.routes, ['routes']);
  return missing;
}
