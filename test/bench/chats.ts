/** Chats as students have them. Nobody writes the same thing twice in one of them. */
export const chats: readonly (readonly string[])[] = [
  ['jag har slagit fel kod tre gånger', 'när är sös öppet på onsdag?', 'nej jag har kastat brevet', 'tack'],
  ['någon har snott kortet', 'ja', 'kolla mitt kort'],
  ['kan jag uppgradera mitt kort?', 'nej', 'ordinarie', '2019', 'hur får jag reservkort'],
  ['kortet är klart och jag har fått koderna, var hämtar jag', 'sös', 'båda', 'vad ska jag ha med mig dit'],
  ['hej', 'vad kan du', 'kortet går ut om tre veckor', 'asdf qwer', 'börja om'],
];
