/** The one part of natural that is used. The whole of it takes a second to load, and reads `.env`. */
declare module 'natural/lib/natural/stemmers/porter_stemmer_sv.js' {
  const stemmer: { stem(word: string): string };
  export default stemmer;
}
