/** What the desk needs of the content, apart from its pages, so that other commands can check it alone. */
export const deskLabels = ['agent', 'claimed', 'opened', 'lapsed', 'released'].map((name) => `desk/${name}`);
