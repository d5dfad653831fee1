#!/usr/bin/env python3
"""Accuracy of `casework consensus` by method on the crowd sets of ../shared/data, beside a peer's (crowd-kit 1.4.2) and the published ones.
    benches/accuracy.py [casework]        the program, target/release/casework without it"""
import csv, json, subprocess, sys
from pathlib import Path

here = Path(__file__).resolve().parent.parent
data = here.parent / "shared/data"
if not data.exists():
    sys.exit("skipped: ../shared/data is not here")
casework = sys.argv[1] if len(sys.argv) > 1 else here / "target/release/casework"
sets = json.loads((data / "agreement/reference.json").read_text())["sets"]
peers = {"hierarchical": None, "majority": "MajorityVote", "dawid-skene": "DawidSkene_default", "one-coin": "OneCoinDawidSkene", "mace": "MACE"}


def accuracy(labels, gold, method):
    command = [casework, "consensus", "--method", method, labels]
    truth = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    said = {row["task"]: row["label"] for row in csv.DictReader(truth.splitlines())}
    right = [said[row["task"]] == row["label"] for row in csv.DictReader(open(gold)) if row["task"] in said]
    return sum(right) / len(right)


print(f"{'set':<18} {'tasks':>5} " + "".join(f"{method:>12}" + (" (peer)" if peer else "") for method, peer in peers.items()) + "   published")
for name in ["rte", "dog", "bluebird", "sim_reviews_clinc"]:
    of = sets[name]
    crowd = data / "agreement" / name
    labels, gold = (crowd / "labels.csv", crowd / "gold.csv") if crowd.exists() else (data / "reviews/verdicts.csv", data / "reviews/verdict_gold.csv")
    cells = ""
    for method, peer in peers.items():
        cells += f"{accuracy(labels, gold, method):>12.4f}" + (f" {of['values'][peer]['result']['accuracy']:.4f}" if peer else "")
    published = ", ".join(f"{model} {share:.4f}" for model, share in of["published"].get("accuracy", {}).items()) or "none: simulated"
    print(f"{name:<18} {of['tasks']:>5} {cells}   {published}")
