/** Breaks one thing in rendered manifests, to see whether a check notices. */
import type { Resource } from './render.ts';

export type Mutation = (resources: Resource[]) => void;

type Step = string | number;

/** Sets a field of one resource; undefined takes it away, an index equal to a list's length appends. */
export function change(resource: string, path: readonly Step[], value: unknown): Mutation {
  return (resources) => {
    let at = find(resources, resource) as unknown as Record<Step, unknown>;
    for (const step of path.slice(0, -1)) {
      const next = at[step];
      if (typeof next !== 'object' || next === null) throw new Error(`${resource} has no ${path.join('.')}`);
      at = next as Record<Step, unknown>;
    }
    const last = path.at(-1) ?? '';
    if (value === undefined && !(last in at)) throw new Error(`${resource} has no ${path.join('.')}`);
    if (value === undefined) delete at[last];
    else at[last] = value;
  };
}

/** Takes a resource away. */
export function remove(resource: string): Mutation {
  return (resources) => void resources.splice(resources.indexOf(find(resources, resource)), 1);
}

/** Adds a resource. */
export function add(resource: Record<string, unknown>): Mutation {
  return (resources) => void resources.push(resource as unknown as Resource);
}

/** `Kind name`, or `group/version Kind name` where a kind has two groups. */
function find(resources: readonly Resource[], wanted: string): Resource {
  const found = resources.find(({ apiVersion, kind, metadata }) => {
    const name = metadata.name.replace(/-[a-z0-9]{10}$/, '');
    return [`${kind} ${name}`, `${kind} ${metadata.name}`, `${apiVersion} ${kind} ${name}`].includes(wanted);
  });
  if (found === undefined) throw new Error(`there is no ${wanted} to change`);
  return found;
}
