#!/usr/bin/env python3
"""A detector: flags texts that shout. Copy it, change `flags`, pin it."""
import json, sys

def flags(row):
    text = row.get("text")
    letters = [c for c in text if c.isalpha()] if isinstance(text, str) else []
    share = sum(c.isupper() for c in letters) / len(letters) if len(letters) >= 8 else 0.0
    if share > 0.6:
        yield {"flag": "shouting", "score": round(share, 3), "why": f"{share:.0%} capital letters"}

for line in sys.stdin:
    asked = json.loads(line)
    if "casework" in asked:
        said = {"plugin": "shouting", "version": "1.0", "casework": 1, "deterministic": True}
    elif asked.get("end"):
        break
    else:
        said = {"n": asked["n"], "flags": list(flags(asked["row"]))}
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
