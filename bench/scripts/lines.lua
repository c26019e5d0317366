local i, total = 0, 0
while i < 500000 do
  local line = "Lead " .. i .. ", " .. "Acme" .. " (web)"
  total = total + #line
  i = i + 1
end
print(total)
