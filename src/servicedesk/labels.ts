/** What the desk needs of the content, apart from the agents' page, so that other commands can check it alone. */
export const deskLabels = ['agent', 'claimed', 'opened', 'lapsed', 'released'].map((name) => `desk/${name}`);

/** Around every page that needs no script. */
export const plainPageLabels = ['pages', 'toCases', 'toLessons', 'toFigures', 'refused', 'notForYou'].map(
  (name) => `desk-pages/${name}`,
);

const kinds = ['notUnderstood', 'notKnown', 'clarified', 'notHelped'];

export const lessonLabels = [
  'title',
  'intro',
  ...['saved', 'gone', 'undecided', 'nameless'].map((outcome) => `outcome.${outcome}`),
  ...['notFromHere', 'unreadable'],
  ...['kind', 'kind.any', ...kinds.map((kind) => `kind.${kind}`)],
  ...['state', 'state.undecided', 'state.decided', 'state.all'],
  ...['order', 'order.newest', 'order.often'],
  ...['show', 'count', 'none', 'pages', 'previous', 'next'],
  ...['textless', 'why', 'times', 'at', 'between', 'wish', 'about'],
  ...['thinks', 'thinks.answer', 'thinks.clarify', 'thinks.fallback'],
  ...['decided', 'decidedBy', 'decidedNew'],
  ...['decision', 'decision.none', 'decision.new', 'decision.dismissed', 'wished', 'save'],
  ...['export', 'exportText', 'exportIntro', 'exportEmpty', 'exportNew', 'exportElsewhere'],
].map((name) => `lessons/${name}`);

export const figureLabels = [
  'title',
  'intro',
  ...['periodUnclear', 'lastDays', 'from', 'to', 'show', 'export', 'whole', 'byDay', 'asTable', 'nothing'],
  ...['chart', 'chartEmpty'],
  ...['conversations', 'answered', 'resolved', 'resolvedText', 'handedOver', 'unanswered'],
  ...['reasons', 'kinds', 'ratings', 'paths', 'wishes', 'rules'].flatMap((group) => [group, `${group}Text`]),
  ...['rated.helped', 'rated.notHelped'],
  ...['ages', 'agesText', 'age.checked', 'age.days', 'age.texts', 'age.mayHaveChanged'],
  ...['day', 'what', 'name', 'amount'].map((name) => `csv.${name}`),
].map((name) => `figures/${name}`);
