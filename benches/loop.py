#!/usr/bin/env python3
"""What `benches/loop.sh` measures on, and what it holds casework against.

    loop.py make DIR ROWS      a stream of ROWS predictions with texts of their own, and a label of each
    loop.py duckdb IN OUT      the rows of IN, each text once, in the order of their ids, in three splits below OUT
    loop.py datasketch FILE    pairs of texts at .8: found by MinHash and LSH, and counted exactly afterwards
    loop.py texts DIR ROWS     DIR/texts.jsonl, of real texts with words put in, one of fifty an earlier one with a letter changed
"""
import json
import random
import sys

POOL = "../shared/data/clinc150/pool.jsonl"


def pool():
    with open(POOL, encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines]


def changed(texts, words, draw):
    """A real text with words of others put in, so that hardly two are the same."""
    own = draw.choice(texts).split()
    for _ in range(3):
        own.insert(draw.randrange(len(own) + 1), draw.choice(words))
    return " ".join(own)


def make(directory, rows):
    draw, texts = random.Random(5), pool()
    words = sorted({word for text in texts for word in text.split()})
    labels = [line.strip() for line in open("tests/fixtures/labels.txt", encoding="utf-8") if line.strip()]
    with open(f"{directory}/loop.jsonl", "w", encoding="utf-8") as stream, \
            open(f"{directory}/loop_labels.jsonl", "w", encoding="utf-8") as given:
        for at in range(rows):
            day, second = divmod(at, rows // 14 + 1)
            second = second * 86_400 // (rows // 14 + 1)
            when = f"2024-06-{day + 1:02}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{at % 1000:03}Z"
            label = draw.choice(labels)
            stream.write(json.dumps({
                "id": f"p{at:09}", "occurred_at": when, "stream": "intent-prod", "model": {"name": "m", "version": "1"},
                "input": {"text": changed(texts, words, draw), "session_id": f"s{at // 3}"},
                "prediction": {"label": label, "confidence": round(draw.random(), 4)}}) + "\n")
            right = draw.random() < .6
            final = label if right else draw.choice(labels)
            given.write(json.dumps({
                "case_id": f"p{at:09}", "reviewer": "rev-ana", "pass": 1, "started_at": "2024-06-20T08:00:00Z",
                "submitted_at": "2024-06-20T08:00:10Z", "duration_ms": 10_000,
                "path": [["readable", "yes"], ["language", "yes"], ["scope", "yes"], ["label", "yes" if final == label else "no"]],
                "verdict": "model_correct" if final == label else "wrong_label",
                "corrected_label": None if final == label else final, "final_label": final, "sure": 2,
                "rationale": "as the guide says", "simulated": True}) + "\n")


def texts(directory, rows):
    draw, real = random.Random(7), pool()
    words = sorted({word for text in real for word in text.split()})
    with open(f"{directory}/texts.jsonl", "w", encoding="utf-8") as out:
        earlier = []
        for _ in range(rows):
            if earlier and draw.random() < .02:
                text = draw.choice(earlier)
                at = draw.randrange(len(text))
                text = text[:at] + draw.choice("aeiou") + text[at + 1:]
            else:
                text = changed(real, words, draw)
            earlier.append(text)
            out.write(json.dumps({"text": text}) + "\n")


def duckdb(source, out):
    import duckdb
    db = duckdb.connect()
    db.sql(f"""create table rows as select * from (
        select *, md5(text || label || "case") as row, ('0x' || md5(text)[:8])::bigint / 4294967296 as u,
               row_number() over (partition by lower(trim(text)) order by "case") as nth
        from read_json('{source}', format='newline_delimited', columns={{text: 'VARCHAR', label: 'VARCHAR', "case": 'VARCHAR',
            category: 'VARCHAR', failure_mode: 'VARCHAR', id: 'VARCHAR', occurred_at: 'VARCHAR', stream: 'VARCHAR'}})
        ) where nth = 1""")
    for name, low, high in (("train", 0, .8), ("validation", .8, .9), ("test", .9, 1)):
        db.sql(f"""copy (select "case", category, failure_mode, id, label, occurred_at, 'case' as origin, row,
            '{name}' as split, stream, text from rows where u >= {low} and u < {high} order by row)
            to '{out}/{name}.jsonl' (format json)""")
    print(db.sql("select count(*) from rows").fetchall()[0][0], "rows")


def datasketch(path):
    from datasketch import MinHash, MinHashLSH
    with open(path, encoding="utf-8") as lines:
        shingles = [sorted({text[at:at + 5].encode() for at in range(max(1, len(text) - 4))})
                    for text in (json.loads(line)["text"].lower() for line in lines)]
    index, found = MinHashLSH(threshold=.8, num_perm=128), 0
    for at, one in enumerate(shingles):
        sketch = MinHash(num_perm=128)
        sketch.update_batch(one)
        own = set(one)
        for other in index.query(sketch):
            two = set(shingles[other])
            found += len(own & two) >= .8 * len(own | two)
        index.insert(at, sketch)
    print(found, "pairs")


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what in ("make", "texts"):
        globals()[what](rest[0], int(rest[1]))
    else:
        globals()[what](*rest)
