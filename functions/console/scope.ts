/** What a decision covers, in words and in the order in which people look for it. Pure. */

/** What people look for first. */
const FIRST = ['alertname', 'severity', 'namespace', 'workload'];

/** Name and value of everything that counts for a pattern; the kind of its workload becomes the workload's name. */
export function toScope(pattern: {
  readonly identity: Readonly<Record<string, string>>;
}): ReadonlyArray<readonly [name: string, value: string]> {
  const { kind, cluster, ...rest } = pattern.identity;
  const names = [...FIRST, ...Object.keys(rest).filter((name) => !FIRST.includes(name))];
  const isNamed = kind !== undefined && rest['workload'] !== undefined;
  const rows = names.flatMap((name) => {
    const value = rest[name];
    const shown = name === 'workload' && isNamed ? kind : name === 'alertname' ? 'alert' : name;
    return value === undefined ? [] : [[toWords(shown), value] as const];
  });
  if (kind !== undefined && !isNamed) rows.push(['Kind', kind]);
  if (cluster !== undefined) rows.push(['Cluster', cluster]);
  return rows;
}

function toWords(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
