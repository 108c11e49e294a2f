// The filter of decisions: the same language as report/decisions/filters.py, in which it is
// described; a test holds both against each other.

const FILTER = { longest: 1000, deepest: 40, keywords: ["and", "or", "not"] };
const TOKEN = /[ \t\r\n\u00a0]*(?:(<=|>=|==|!=|<|>|=|~)|([()])|"([^"]*)"|'([^']*)'|([^ \t\r\n\u00a0()<>=!~"']+))/y;
const NUMBER = /^([-+\u2212]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)(%?)$/;
const COMPARE = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "=": (a, b) => a === b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};
const FLIPPED = { "<": ">", "<=": ">=", ">": "<", ">=": "<=" };

/** Return the number that a word is, of "50%" 0.5; null for any other word. */
const numberIn = (text) => {
  const found = NUMBER.exec(text);
  if (!found) return null;
  const value = Number(found[1].replace("\u2212", "-"));
  return found[2] ? value / 100 : value;
};

const filterTokens = (text) => {
  const tokens = [];
  const end = text.replace(/[ \t\r\n\u00a0]+$/, "").length;
  TOKEN.lastIndex = 0;
  for (let at = 0; at < end; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (!found) throw new Error(`cannot be read from “${text.slice(at).trim().slice(0, 20)}” on`);
    const [, sign, bracket, double, single, word] = found;
    const token = { text: sign ?? bracket ?? double ?? single ?? word };
    token.sign = sign !== undefined;
    token.bracket = bracket !== undefined;
    token.quoted = double !== undefined || single !== undefined;
    const isKeyword = word !== undefined && FILTER.keywords.includes(word.toLowerCase());
    token.keyword = isKeyword ? word.toLowerCase() : "";
    tokens.push(token);
  }
  return tokens;
};

/**
 * Return what tells whether a row passes a filter; an empty one lets all pass.
 *
 * kinds: Map from a column's name to "number", "text", "id" or "flag".
 * read: (row, name) => the row's value, null where it is missing.
 * Throws an Error whose message is for people.
 */
const compileFilter = (text, kinds, read) => {
  if (text.length > FILTER.longest) throw new Error(`more than ${FILTER.longest} characters`);
  const tokens = filterTokens(text);
  let at = 0;
  let depth = 0;
  const kindOf = (token) => (token.quoted ? undefined : kinds.get(token.text));
  const takeKeyword = (word) => tokens[at]?.keyword === word && Boolean(++at);
  const takeBracket = (sign) => tokens[at]?.bracket && tokens[at].text === sign && Boolean(++at);
  const goesOn = () => {
    const token = tokens[at];
    return Boolean(token) && token.keyword !== "or" && !(token.bracket && token.text === ")");
  };

  const either = () => {
    const tests = [both()];
    while (takeKeyword("or")) tests.push(both());
    return (row) => tests.some((test) => test(row));
  };
  const both = () => {
    const tests = [one()];
    while (takeKeyword("and") || goesOn()) tests.push(one());
    return (row) => tests.every((test) => test(row));
  };
  const one = () => {
    depth += 1;
    if (depth > FILTER.deepest) throw new Error(`more than ${FILTER.deepest} brackets and negations inside one another`);
    try {
      if (takeKeyword("not")) {
        const inner = one();
        return (row) => !inner(row);
      }
      if (takeBracket("(")) {
        const within = either();
        if (!takeBracket(")")) throw new Error("a bracket is not closed");
        return within;
      }
      return comparison();
    } finally {
      depth -= 1;
    }
  };
  const operand = () => {
    const token = tokens[at];
    if (!token || token.sign || token.bracket || token.keyword) {
      throw new Error(`a name, a number or a text is missing before ${token ? `“${token.text}”` : "the end"}`);
    }
    at += 1;
    return token;
  };
  const comparison = () => {
    const operands = [operand()];
    const signs = [];
    while (tokens[at]?.sign) {
      signs.push(tokens[at].text);
      at += 1;
      operands.push(operand());
    }
    if (!signs.length) return alone(operands[0]);
    const tests = signs.map((sign, i) => pair(operands[i], sign, operands[i + 1]));
    return (row) => tests.every((test) => test(row));
  };
  const alone = (token) => {
    if (kindOf(token) === "flag") return (row) => read(row, token.text) === true;
    const wanted = token.text.toLowerCase();
    const names = [...kinds].filter(([, kind]) => kind === "text" || kind === "id").map(([name]) => name);
    return (row) => names.some((name) => {
      const value = read(row, name);
      return typeof value === "string" && value.toLowerCase().includes(wanted);
    });
  };
  const pair = (left, sign, right) => {
    const [first, second] = [kindOf(left), kindOf(right)];
    if (!first && !second) throw new Error(`there is no “${left.text}” here; there are ${[...kinds.keys()].join(", ")}`);
    if (first === "flag") throw new Error(`${left.text} is a yes or no: write “${left.text}” or “not ${left.text}”`);
    if (!first) return pair(right, FLIPPED[sign] ?? sign, left);
    return first === "number" ? numbers(left, sign, right) : texts(left, sign, right, first === "id");
  };
  const numbers = (left, sign, right) => {
    if (sign === "~") throw new Error(`${left.text} is a number, and ~ looks for text`);
    const isOther = kindOf(right) === "number";
    const number = isOther || right.quoted ? null : numberIn(right.text);
    if (!isOther && number === null) throw new Error(`${left.text} is a number, and “${right.text}” is none`);
    const compare = COMPARE[sign];
    return (row) => {
      const a = read(row, left.text);
      const b = isOther ? read(row, right.text) : number;
      return typeof a === "number" && typeof b === "number" && compare(a, b);
    };
  };
  const texts = (left, sign, right, isId) => {
    if (!["=", "==", "!=", "~"].includes(sign)) throw new Error(`${left.text} is text, which is not less or more; use = != ~`);
    const isOther = ["text", "id"].includes(kindOf(right));
    return (row) => {
      const value = read(row, left.text);
      const against = isOther ? read(row, right.text) : right.text;
      if (typeof value !== "string" || typeof against !== "string") return false;
      const [a, b] = [value.toLowerCase(), against.toLowerCase()];
      if (sign === "~") return a.includes(b);
      return (isId ? a.startsWith(b) : a === b) !== (sign === "!=");
    };
  };

  if (!tokens.length) return () => true;
  const test = either();
  if (at < tokens.length) throw new Error("nothing opened what “)” closes");
  return test;
};
