"""What benches/quality.sh runs peers with: seconds, memory and result of one call."""
import resource, sys, time

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
print(f"{what}: {time.time() - begun:.2f} s ({read - begun:.2f} s of it reading), {memory} MB")
for name, value in result.items():
    print(f"  {name} {value}")
