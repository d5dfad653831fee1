"""What benches/quality.sh runs peers with: seconds, memory and result of one call, as a line of JSON."""
import json, resource, sys, time

what, path, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
begun = time.time()
import pandas as pd

frame = pd.read_csv(path, dtype=str)
read = time.time()
if what == "krippendorff":
    import krippendorff

    counts = pd.crosstab(frame["task"], frame["label"])
    value = krippendorff.alpha(value_counts=counts.to_numpy(), level_of_measurement="nominal")
    result = {"alpha": round(float(value), 9)}
else:
    from crowdkit.aggregation import DawidSkene

    model = DawidSkene(n_iter=rounds, tol=float("-inf")).fit(frame)
    sums = model.probas_.sort_index(axis=1).sum()
    result = {"beliefs": [round(float(value), 4) for value in sums]}
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps({"by": what, "seconds": round(time.time() - begun, 2), "reading": round(read - begun, 2), "MB": memory, **result}))
