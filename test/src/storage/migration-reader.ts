/**
 * Reads migrations as strictly as it has to be, for two versions of the program
 * use the tables at once while one takes over from the other, and one may have
 * to go back: a statement that is not known to be harmless is refused, with
 * what to do instead.
 */

/** By the name of its file, without the ending. */
export type MigrationFile = { name: string; text: string };

/** What is wrong, a sentence each, after the file's name. */
export function problemsIn(files: readonly MigrationFile[]): string[] {
  return files.flatMap(({ name, text }) => {
    const statements = statementsOf(text);
    const needed = /_needs-(\d{4})$/.exec(name)?.[1];
    const made = new Set(statements.flatMap((each) => CREATE_TABLE.exec(each)?.[1] ?? []));
    const isBeside = statements.some((each) => /\bconcurrently\b/.test(each));
    const problems = statements.flatMap((each) =>
      isBeside ? problemBeside(each) : problemOf(each, made, needed !== undefined),
    );
    const earlier = files.some((other) => other.name < name && other.name.startsWith(`${needed ?? ''}_`));
    const isUnknown = needed !== undefined && !earlier;
    return [...(isUnknown ? [UNKNOWN] : []), ...problems].map((problem) => `${name}: ${problem}`);
  });
}

const UNKNOWN = 'it needs a migration that is not before it; name the last one of the versions that may still run.';

const CREATE_TABLE = /^create (?:unlogged )?table (?:if not exists )?(\w+) \(/;
const CREATE_INDEX = /^create (unique )?index (?:if not exists )?\w+ on (\w+) /;
const CONCURRENT_INDEX = /^create (unique )?index concurrently \w+ on \w+ /;

/** A refusal's first word tells what was met; the rest, what to do. */
const REFUSED: readonly [met: RegExp, instead: string][] = [
  [
    /^drop |^alter table .* drop /,
    'to drop takes away what the version before uses; leave it unused, and drop it in a later version, in a file whose name ends with _needs- and the number of the last migration before nothing used it.',
  ],
  [
    /^alter .* rename /,
    'to rename takes the old name from the version before; add the new beside it, write both, and drop the old in a later version.',
  ],
  [
    /^update |^delete |^truncate /,
    'to change rows in a migration holds them from whoever answers students; let the program do it, a few at a time, or when a row is used.',
  ],
  [/^create or replace /, 'to replace changes what the version before calls; create another under a new name.'],
  [/^create (constraint )?trigger /, 'a trigger on a table that is there changes what the version before does.'],
  [/^insert /, 'to insert is for tables of the same file; rows of others are the program’s to write.'],
];
const NOT_KNOWN = 'it is not known to be harmless to the version before; if it is, teach the reader why.';

/** Nothing, where there is nothing wrong. */
function problemOf(statement: string, made: ReadonlySet<string>, mayDrop: boolean): string[] {
  if (CREATE_TABLE.test(statement) || /^create function |^comment on /.test(statement)) return [];
  const index = CREATE_INDEX.exec(statement);
  if (index) {
    if (made.has(index[2] ?? '')) return [];
    return [
      index[1]
        ? 'a unique index refuses what the version before may write; let a later version make it, when all keep to it.'
        : 'an index of a table that is there keeps everybody from writing while it is made; make it concurrently, in a file of its own.',
    ];
  }
  const altered = /^alter table (?:only )?(?:if exists )?(\w+) (.*)$/.exec(statement);
  if (altered) {
    const [, table = '', actions = ''] = altered;
    return made.has(table) ? [] : partsOf(actions).flatMap((action) => problemOfAction(action, mayDrop));
  }
  const owner = /^(?:insert into (\w+)|create trigger \w+ .*? on (\w+)) /.exec(statement);
  if (owner && made.has(owner[1] ?? owner[2] ?? '')) return [];
  if (mayDrop && /^drop (table|function|trigger|index) (?!.*\bcascade\b)/.test(statement)) return [];
  return [REFUSED.find(([met]) => met.test(statement))?.[1] ?? NOT_KNOWN];
}

function problemBeside(statement: string): string[] {
  if (/^drop index concurrently if exists \w+$/.test(statement)) return [];
  const made = CONCURRENT_INDEX.exec(statement);
  if (made?.[1]) return ['a unique index refuses what the version before may write.'];
  return made
    ? []
    : ['beside a concurrent index a file has nothing else, but that it drops what is left of it if it is made again.'];
}

const CONSTANT = /^(?:null|true|false|-?\d+(?:\.\d+)?|'[^']*'(?:::[\w[\]]+)?)$/;

function problemOfAction(action: string, mayDrop: boolean): string[] {
  if (/^validate constraint \w+$/.test(action)) return [];
  if (mayDrop && /^drop (column|constraint) (if exists )?\w+$/.test(action)) return [];
  if (/^add constraint \w+ check .* not valid$/.test(action)) return [];
  if (/^add (constraint|primary key|unique|foreign key|check|exclude)\b/.test(action))
    return [
      'a constraint is added as a check that is not valid, and validated in a later file; otherwise all rows are read while nobody may write.',
    ];
  if (/^alter (column )?\w+ (set data )?type /.test(action))
    return ['another type makes every row anew while nobody may read it; add a column of that type beside it.'];
  if (/^alter (column )?\w+ set not null/.test(action))
    return ['what must not be null may be left out by the version before; check it with a constraint, in a later one.'];
  const added = /^add (?:column )?(?:if not exists )?\w+ (.+)$/.exec(action)?.[1];
  if (added === undefined) return [REFUSED.find(([met]) => met.test(`alter table t ${action}`))?.[1] ?? NOT_KNOWN];
  if (/\b(primary key|unique|references|check|generated|constraint)\b/.test(added))
    return ['a column is added without constraints of its own; they are added as not valid.'];
  const given = /\bdefault (.+?)(?: not null)?$/.exec(added)?.[1];
  if (given !== undefined && !CONSTANT.test(given))
    return ['a default that has to be worked out makes every row anew; give a constant, or let the program fill it.'];
  if (/\bnot null\b/.test(added) && (given === undefined || given === 'null'))
    return ['the version before leaves a new column out, so it has a constant default, or may be null.'];
  return [];
}

/** In small letters, with single spaces and without comments. What stands between quotes or dollars is one piece. */
function statementsOf(text: string): string[] {
  const statements = [''];
  for (const [piece] of text.matchAll(/--[^\n]*|\$(\w*)\$[\s\S]*?\$\1\$|'(?:[^']|'')*'|"[^"]*"|;|[^-$'";]+|[-$'"]/g)) {
    if (piece === ';') statements.push('');
    else if (!piece.startsWith('--')) statements.push(`${statements.pop() ?? ''}${piece}`);
  }
  return statements.map((each) => each.replace(/\s+/g, ' ').trim().toLowerCase()).filter((each) => each !== '');
}

/** What stands between the commas that are in no parentheses. */
function partsOf(actions: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const [piece] of actions.matchAll(/'(?:[^']|'')*'|[(),]|[^'(),]+/g)) {
    depth += piece === '(' ? 1 : piece === ')' ? -1 : 0;
    if (piece === ',' && depth === 0) parts.push('');
    else parts.push(`${parts.pop() ?? ''}${piece}`);
  }
  return parts.map((part) => part.trim());
}
