/**
 * Finds the role of a label by its name: first the whole name in the table (pattern-labels.ts), then the words of it.
 * Names are compared without case, separators and the prefixes senders put in front.
 */
import { LABEL_ROWS, WORD_ROWS, type LabelRow, type Role } from './pattern-labels.ts';

export interface LabelRole {
  readonly role: Role;
  /** Why a label of this role does not count, when it does not. */
  readonly reason: string;
  /** The name it has in the identity; several spellings share one. */
  readonly as: string;
  /** The label says itself that it is the subject's and its plain twin the exporter's (`exported_pod`, `obj_name`). */
  readonly foreign: boolean;
}

/** Written in front of a name by those who copy labels; they do not change what the label is. */
const PREFIXES = /^(?:iokubernetes|kubernetesio|kubernetes|k8s|kube|label|dimension)(?=[a-z])/;
/** Written in front of a name to say that it is the subject's, because the exporter has one of its own. */
const FOREIGN_PREFIXES = /^(?:exported|obj|object|involvedobject|resource|claim|pvc|target)(?=[a-z])/;
const OBJECT_NAME = /^(?:obj|object|involvedobject)name$/;
/** Roles whose labels are often spelled with a `name` behind: `disk_name`, `service_name`. */
const NAMEABLE: ReadonlySet<Role> = new Set(['part', 'object', 'service']);

/** Labels of container images and of Compose: most change with the image; these name the thing. */
const CONTAINER_LABEL = /^containerlabel/;
const CONTAINER_LABEL_NAMES =
  /(?:composeservice|composeproject|swarmservicename|nomadtaskname|nomadjobname)$/;

const TABLE: ReadonlyMap<string, LabelRow> = new Map(
  LABEL_ROWS.flatMap((row) => row.names.split(' ').map((name) => [squash(name), row] as const)),
);
const WORD_TABLE = WORD_ROWS.map(({ role, reason, last, any }) => ({
  role,
  reason: reason ?? '',
  last: last === undefined ? undefined : new Set(last.split(' ')),
  any: any === undefined ? undefined : new Set(any.split(' ')),
}));

/** Label names repeat; the memory is bounded because names come from outside. */
const CACHE_LIMIT = 4096;
const cache = new Map<string, LabelRole>();

/** The role of a label by its name; a name nothing is known about is a `word`. */
export function toLabelRole(name: string): LabelRole {
  const known = cache.get(name);
  if (known !== undefined) return known;
  const role = classify(name);
  if (cache.size < CACHE_LIMIT) cache.set(name, role);
  return role;
}

function classify(name: string): LabelRole {
  const squashed = squash(name);
  if (CONTAINER_LABEL.test(squashed)) {
    const counts = CONTAINER_LABEL_NAMES.test(squashed);
    return { role: counts ? 'word' : 'noise', reason: 'label of the image', as: name, foreign: false };
  }
  const bare = squashed.replace(PREFIXES, '');
  const exact = TABLE.get(squashed) ?? TABLE.get(bare);
  const subject = bare.replace(FOREIGN_PREFIXES, '');
  const isForeign = subject !== bare;
  if (exact !== undefined) {
    return toRole(exact, name, OBJECT_NAME.test(bare));
  }
  const twin = isForeign ? TABLE.get(subject) : undefined;
  if (twin !== undefined && twin.role !== 'cluster') return toRole(twin, name, twin.role !== 'noise');
  const named = bare.endsWith('name') ? TABLE.get(bare.slice(0, -4)) : undefined;
  if (named !== undefined && NAMEABLE.has(named.role)) return toRole(named, name, false);
  if (name.startsWith('__') && name !== '__tenant__') {
    return { role: 'noise', reason: 'internal label', as: name, foreign: false };
  }
  const words = toWords(name);
  const last = words.at(-1) ?? '';
  const row = WORD_TABLE.find(
    (row) =>
      (row.last?.has(last) ?? true) && (row.any === undefined || words.some((word) => row.any?.has(word))),
  );
  return { role: row?.role ?? 'word', reason: row?.reason ?? '', as: name, foreign: false };
}

function toRole(row: LabelRow, name: string, foreign: boolean): LabelRole {
  return { role: row.role, reason: row.reason ?? '', as: row.as ?? name, foreign };
}

function squash(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

function toWords(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}
