"""Against Python's json, which is written in C: Lua has no JSON of its own."""
import json

records = []
for i in range(6500):
    records.append({"id": i, "Last_Name": "Lovelace%d" % i, "Company": "Analytical \"Engines\"", "Email": "ada@example.com", "Rating": 4.5,
                    "Tags": ["vip", "maths"], "Opt_In": True, "Owner": None})
data = {"data": records}
for _ in range(5):
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    data = json.loads(text)
print(len(data["data"]))
